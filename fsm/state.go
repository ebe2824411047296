package fsm

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
)

// Meta is what a State holds once.
type Meta struct {
	Format      uint32
	ClusterID   string
	ClusterName string
	// Epoch counts restores from backups; 1 at first.
	Epoch uint64
	// Index and Term are of the newest applied entry.
	Index uint64
	Term  uint64
	// Now is the newest proposed-at time, never going back, Unix milliseconds.
	Now int64
	// Ordinal numbers deployments, requests and other records by age.
	Ordinal  uint64
	Settings *Settings
	// Freeze pauses every environment.
	Freeze *Pause
	// RequestHorizon: a request issued at or before it may have been forgotten.
	RequestHorizon int64
	// AuditSequence numbers audit records; AuditHead is the newest one's hash,
	// AuditAnchor that of the newest one that was cut off.
	AuditSequence uint64
	AuditHead     [32]byte
	AuditAnchor   [32]byte
	// PollGeneration is the newest hint.
	PollGeneration uint64
}

// State is everything that the cluster has decided. It is immutable.
type State struct {
	meta         Meta
	environments table[Environment]
	deployments  table[Deployment]
	byAge        table[Deployment]
	byContent    table[Deployment]
	activations  table[Activation]
	bundles      table[Bundle]
	uploads      table[Upload]
	nodes        table[Node]
	holds        table[Hold]
	requests     table[Request]
	requestAges  table[Request]
	audit        table[AuditRecord]
	tokens       table[Token]
}

// Table ids are part of the state hash: never reuse or renumber them.
const (
	tableEnvironments = iota + 1
	tableDeployments
	tableActivations
	tableBundles
	tableUploads
	tableNodes
	tableHolds
	tableRequests
	tableAudit
)

// tableTokens is out of the line above, which others continue.
const tableTokens = 20

// schemas are the tables' keys and encodings. The three indexes (by age and by
// content) hold records of another table and stay out of the hash.
type schemas struct {
	environments schema[Environment]
	deployments  schema[Deployment]
	byAge        schema[Deployment]
	byContent    schema[Deployment]
	activations  schema[Activation]
	bundles      schema[Bundle]
	uploads      schema[Upload]
	nodes        schema[Node]
	holds        schema[Hold]
	requests     schema[Request]
	requestAges  schema[Request]
	audit        schema[AuditRecord]
	tokens       schema[Token]
}

func newSchemas() *schemas {
	return &schemas{
		environments: schema[Environment]{tableEnvironments, func(e *Environment) string { return e.Name }, environmentCodec.append},
		deployments:  schema[Deployment]{tableDeployments, func(d *Deployment) string { return d.ID }, deploymentCodec.append},
		byAge:        schema[Deployment]{key: deploymentAge},
		byContent:    schema[Deployment]{key: deploymentContent},
		activations:  schema[Activation]{tableActivations, func(a *Activation) string { return join(a.Environment, number(a.Index)) }, activationCodec.append},
		bundles:      schema[Bundle]{tableBundles, func(b *Bundle) string { return b.Digest }, appendBundleKey},
		uploads:      schema[Upload]{tableUploads, func(u *Upload) string { return u.ID }, appendUploadKey},
		nodes:        schema[Node]{tableNodes, func(n *Node) string { return n.ID }, nodeCodec.append},
		holds:        schema[Hold]{tableHolds, func(h *Hold) string { return join(h.Environment, h.Digest) }, holdCodec.append},
		requests:     schema[Request]{tableRequests, func(r *Request) string { return r.ID }, requestCodec.append},
		requestAges:  schema[Request]{key: func(r *Request) string { return number(r.Ordinal) }},
		audit:        schema[AuditRecord]{tableAudit, func(a *AuditRecord) string { return number(a.Sequence) }, auditCodec.append},
		tokens:       schema[Token]{tableTokens, func(t *Token) string { return t.ID }, tokenCodec.append},
	}
}

func deploymentAge(d *Deployment) string { return join(d.Environment, number(d.Ordinal)) }

// deploymentContent is what there is one record of (I12). What was imported has
// no content: its commit can be deployed as if the record were not there.
func deploymentContent(d *Deployment) string {
	if d.Imported {
		return contentKey(d.Environment, "", d.ID)
	}
	return contentKey(d.Environment, d.Commit, d.Digest)
}

// recordOf finds what DeploymentByContent returns; the newest, if a commit that cannot be read has several contents.
func recordOf(byContent table[Deployment], environment, commit, digest string) *Deployment {
	if known := byContent.get(contentKey(environment, commit, digest)); known != nil {
		return known
	}
	if digest != "" {
		return byContent.get(contentKey(environment, commit, ""))
	}
	var newest *Deployment
	for d := range byContent.all(contentKey(environment, commit, "")) {
		if !d.Imported && (newest == nil || d.Ordinal > newest.Ordinal) {
			newest = d
		}
	}
	return newest
}

func contentKey(environment, commit, digest string) string {
	return join(environment, commit, digest)
}

// New returns the state before the first entry. Whatever the build knows, it is
// of the first format: a log leads to the same state everywhere (I11).
func New() *State {
	s := newSchemas()
	return &State{
		meta:         Meta{Format: FirstFormat, Epoch: 1, Ordinal: importedOrdinals},
		environments: newTable(&s.environments),
		deployments:  newTable(&s.deployments),
		byAge:        newTable(&s.byAge),
		byContent:    newTable(&s.byContent),
		activations:  newTable(&s.activations),
		bundles:      newTable(&s.bundles),
		uploads:      newTable(&s.uploads),
		nodes:        newTable(&s.nodes),
		holds:        newTable(&s.holds),
		requests:     newTable(&s.requests),
		requestAges:  newTable(&s.requestAges),
		audit:        newTable(&s.audit),
		tokens:       newTable(&s.tokens),
	}
}

// Hash returns the state hash at the applied index. Nodes with equal indexes
// have equal hashes (I11).
func (s *State) Hash() [32]byte {
	sum := s.environments.hash
	for _, h := range []setHash{
		s.deployments.hash, s.activations.hash, s.bundles.hash, s.uploads.hash,
		s.nodes.hash, s.holds.hash, s.requests.hash, s.audit.hash, s.tokens.hash,
		memberHash(0, "meta", encodeMeta(&s.meta)),
	} {
		sum = sum.plus(h)
	}
	lanes := make([]byte, 0, sha256.Size)
	for _, lane := range sum {
		lanes = binary.BigEndian.AppendUint64(lanes, lane)
	}
	return sha256.Sum256(lanes)
}

// Meta returns what the state holds once. Settings and Freeze must not be changed.
func (s *State) Meta() Meta { return s.meta }

// Index is the raft index of the newest applied entry.
func (s *State) Index() uint64 { return s.meta.Index }

// Now is the replicated clock, Unix milliseconds.
func (s *State) Now() int64 { return s.meta.Now }

// Settings returns the cluster-wide settings; nil before the cluster is initialised.
func (s *State) Settings() *Settings { return s.meta.Settings }

// Environment returns one environment, or nil.
func (s *State) Environment(name string) *Environment { return s.environments.get(name) }

// Environments yields all environments by name.
func (s *State) Environments() iter.Seq[*Environment] { return s.environments.all("") }

// Deployment returns one deployment, or nil.
func (s *State) Deployment(id string) *Deployment { return s.deployments.get(id) }

// DeploymentByContent returns the deployment of a commit and digest, or nil (I12). A commit that cannot be read, or
// could not when it was recorded, has no digest: its record is the one that the commit has.
func (s *State) DeploymentByContent(environment, commit, digest string) *Deployment {
	return recordOf(s.byContent, environment, commit, digest)
}

// Deployments yields an environment's deployments, the newest first.
func (s *State) Deployments(environment string) iter.Seq[*Deployment] {
	return s.DeploymentsBefore(environment, ^uint64(0))
}

// DeploymentsBefore yields those with a lower ordinal, the newest first.
func (s *State) DeploymentsBefore(environment string, ordinal uint64) iter.Seq[*Deployment] {
	if ordinal == 0 {
		return func(func(*Deployment) bool) {}
	}
	return s.byAge.back(environment+"\x00", join(environment, number(ordinal-1)))
}

// Activations yields what an environment served, the newest first.
func (s *State) Activations(environment string) iter.Seq[*Activation] {
	return s.ActivationsBefore(environment, ^uint64(0))
}

// ActivationsBefore yields those with a lower index, the newest first.
func (s *State) ActivationsBefore(environment string, index uint64) iter.Seq[*Activation] {
	if index == 0 {
		return func(func(*Activation) bool) {}
	}
	return s.activations.back(environment+"\x00", join(environment, number(index-1)))
}

// Activation returns one activation, or nil.
func (s *State) Activation(environment string, index uint64) *Activation {
	return s.activations.get(join(environment, number(index)))
}

// Bundle returns a stored content, or nil.
func (s *State) Bundle(digest string) *Bundle { return s.bundles.get(digest) }

// Bundles yields all stored contents.
func (s *State) Bundles() iter.Seq[*Bundle] { return s.bundles.all("") }

// Upload returns an unfinished upload, or nil.
func (s *State) Upload(id string) *Upload { return s.uploads.get(id) }

// Node returns a member's replicated status, or nil.
func (s *State) Node(id string) *Node { return s.nodes.get(id) }

// Nodes yields the members by id.
func (s *State) Nodes() iter.Seq[*Node] { return s.nodes.all("") }

// Hold returns what keeps a digest from being deployed, or nil.
func (s *State) Hold(environment, digest string) *Hold { return s.holds.get(join(environment, digest)) }

// Holds yields an environment's holds.
func (s *State) Holds(environment string) iter.Seq[*Hold] { return s.holds.all(environment + "\x00") }

// Audit yields audit records from a sequence on, the oldest first.
func (s *State) Audit(from uint64) iter.Seq[*AuditRecord] { return s.audit.from("", number(from)) }

// AuditBack yields audit records up to a sequence, the newest first.
func (s *State) AuditBack(to uint64) iter.Seq[*AuditRecord] { return s.audit.back("", number(to)) }

// FirstAudit is the sequence of the oldest record that is kept; 0 if there is none.
func (s *State) FirstAudit() uint64 {
	for r := range s.audit.all("") {
		return r.Sequence
	}
	return 0
}

// Request returns the remembered result of a request, or nil.
func (s *State) Request(id string) *Request { return s.requests.get(id) }

// Counts returns the number of deployments, bundles and remembered requests.
func (s *State) Counts() (deployments, bundles, requests int) {
	return s.deployments.len(), s.bundles.len(), s.requests.len()
}
