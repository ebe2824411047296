package fsm

// Times are Unix milliseconds; 0 means never. Records are immutable once they
// are in a State: a change replaces the record with an altered copy.

// Environment is what one environment serves and is asked to serve.
type Environment struct {
	Name   string
	Branch string
	// Sequence counts the decisions about this environment (I10).
	Sequence uint64
	// LastActivation is the highest activation index given out (I4).
	LastActivation uint64
	// Active is what every node is to serve; nil before the first activation.
	Active *Active
	// LatestCommit is the head that the last successful poll saw, and
	// LatestDigest its content, as far as it is known.
	LatestCommit string
	LatestDigest string
	// SyncedCommit is the newest commit with exactly the active content.
	SyncedCommit string
	// LastPoll is the cluster's last successful poll, NextPoll when the next is due.
	LastPoll int64
	NextPoll int64
	// PollRequested and PollDone are generations: a hint raises the first, a
	// poll that began after it raises the second.
	PollRequested uint64
	PollDone      uint64
	PollErrorCode string
	PollError     string
	Pause         *Pause
	// Operation is what is being staged, activated or verified; one at a time.
	Operation *Operation
	// LastOutcome is how the operation before ended.
	LastOutcome *Outcome
	// Waiting are the deployments that have not begun, the oldest first.
	Waiting []string
	// CurrentID is the deployment that moved last, LastCompletedID the last that completed.
	CurrentID       string
	LastCompletedID string
	// AfterRollback is set until something new is activated.
	AfterRollback bool
	Health        Health
	HealthMessage string
	Counters      Counters
	// Changed is the raft index of the last change.
	Changed uint64
	// Retired: no longer in the settings; kept for its history.
	Retired bool
	// Kept are the digests that this environment keeps content for.
	Kept []string
	// Faults are what keeps, or lately kept, the repository from being read, the oldest first.
	Faults []Fault
}

// Counters are the metrics that every node exports alike.
type Counters struct {
	Total, Success, Failure     uint64
	ApprovalTimeouts, Rollbacks uint64
	// Durations of finished reconciliations, by status.
	Succeeded, Failed Histogram
}

// DurationBounds are the upper bounds of the duration histogram, in milliseconds.
var DurationBounds = [...]int64{100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 120000, 300000}

// Histogram counts durations; the last bucket has no bound.
type Histogram struct {
	Buckets [len(DurationBounds) + 1]uint64
	SumMs   uint64
}

// Observe counts one duration in milliseconds.
func (h *Histogram) Observe(ms int64) {
	ms = max(ms, 0)
	h.SumMs += uint64(ms)
	for i, bound := range DurationBounds {
		if ms <= bound {
			h.Buckets[i]++
			return
		}
	}
	h.Buckets[len(DurationBounds)]++
}

// Active is the content that an environment serves.
type Active struct {
	Index        uint64
	Epoch        uint64
	Kind         Kind
	DeploymentID string
	Commit       string
	Digest       string
	At           int64
	// Policy is the one inside the content, or nil.
	Policy *Policy
}

// Pause keeps new content from being applied.
type Pause struct {
	Reason string
	Actor  string
	Since  int64
	Until  int64
}

// Operation is one content on its way onto the nodes.
type Operation struct {
	// ID is the raft index at which it began.
	ID   uint64
	Kind Kind
	// DeploymentID is the deployment that is deployed, or rolled away from;
	// TargetID is whose content is activated.
	DeploymentID string
	TargetID     string
	Digest       string
	Phase        Phase
	// Gated: a rollback that waits for approvals; it has no participants yet.
	Gated     bool
	Approvals []Approval
	Begun     int64
	// Deadline ends the phase.
	Deadline        int64
	Participants    []Participant
	ActivationIndex uint64
	Automatic       bool
	Actor           string
	Reason          string
	// Cause is what made an automatic rollback necessary.
	Cause    string
	Services uint32
}

// Answer is what a participant said.
type Answer uint8

// The answers of a participant to staging and to verification.
const (
	AnswerNone Answer = iota
	AnswerYes
	AnswerNo
)

// Participant is a voter that was available when staging began.
type Participant struct {
	NodeID      string
	Incarnation string
	Staged      Answer
	Verified    Answer
	Problems    []string
}

// Outcome is how an operation ended.
type Outcome struct {
	Operation    uint64
	Kind         Kind
	DeploymentID string
	TargetID     string
	OK           bool
	Message      string
	At           int64
}

// Transition is one line of a deployment's history.
type Transition struct {
	From, To DeploymentState
	Phase    Phase
	At       int64
	Message  string
}

// Approval is one approver's decision.
type Approval struct {
	Approver string
	At       int64
	Comment  string
}

// Contributor is someone whose work a deployment holds.
type Contributor struct {
	Name, Email, Role string
}

// Deployment is one (environment, commit, digest) (I12).
type Deployment struct {
	ID             string
	Ordinal        uint64
	Environment    string
	Commit         string
	Digest         string
	Branch         string
	PreviousCommit string
	Author         string
	AuthorEmail    string
	Message        string
	CommittedAt    int64
	ChangedFiles   uint32
	RelevantFiles  uint32
	Contributors   []Contributor
	Risk           Risk
	Plan           []byte
	Rewritten      bool
	RewrittenAway  []string
	State          DeploymentState
	Phase          Phase
	Health         Health
	InitiatedBy    string
	Created        int64
	Started        int64
	Updated        int64
	CompletedAt    int64
	Error          string
	ReasonCode     string
	Problems       []string
	History        []Transition
	Attempts       uint32
	// Activation is the index of its latest activation; 0 if never.
	Activation uint64
	// EverCompleted makes it a target for rollbacks (I7).
	EverCompleted bool
	// Policy gates it; NextPolicy comes into force with its content.
	Policy     *Policy
	NextPolicy *Policy
	// Required approvers and why; 0 if none.
	Required        uint32
	ApprovalReasons []string
	Approvals       []Approval
	// AwaitingSince starts the approval timeout.
	AwaitingSince int64
	// Overridden: an admin passed approvals, window and pause.
	Overridden   bool
	SupersededBy string
	RolledBackTo string
	EstimatedMs  int64
	Services     uint32
	// DryRun: staged, and not activated because the settings forbid it.
	DryRun bool
	// HasContent: its bundle came with it.
	HasContent bool
	// Imported: another program's record. It has no content and never goes on.
	Imported bool
	// Signature is what the check of its commits found.
	Signature Signature
	// ContributorsUnknown: the history is too long to name everybody who contributed.
	ContributorsUnknown bool
}

// Activation is one entry of the list of what an environment served.
type Activation struct {
	Environment  string
	Index        uint64
	Epoch        uint64
	Kind         Kind
	DeploymentID string
	Commit       string
	Digest       string
	At           int64
	Reason       string
	Actor        string
	// RaftIndex is the log entry that decided it.
	RaftIndex uint64
}

// Bundle is a content, stored once for each digest.
type Bundle struct {
	Digest string
	// Compressed is the zstd form of the canonical encoding.
	Compressed []byte
	RawSize    int64
	// Term is the term that uploaded it, StoredAt the raft index.
	Term     uint64
	StoredAt uint64
	// Refs counts the environments that keep it.
	Refs uint32
}

// Upload is a bundle on its way in.
type Upload struct {
	ID      string
	Digest  string
	Term    uint64
	Total   uint32
	RawSize int64
	Chunks  [][]byte
}

// Served is what a node is known to serve of one environment.
type Served struct {
	Environment string
	Epoch       uint64
	Index       uint64
	Digest      string
	Healthy     bool
	Message     string
}

// Node is the replicated status of a member.
type Node struct {
	ID             string
	Incarnation    string
	Available      bool
	Voter          bool
	Version        string
	Format         uint32
	SettingsDigest string
	RaftAddress    string
	GRPCAddress    string
	HTTPAddress    string
	GossipAddress  string
	Since          int64
	Serves         []Served
}

// Hold keeps a digest from being deployed.
type Hold struct {
	Environment  string
	Digest       string
	Commit       string
	Reason       string
	DeploymentID string
	Since        int64
}

// Request is the remembered result of a caller's command (I3).
type Request struct {
	ID       string
	Ordinal  uint64
	IssuedAt int64
	At       int64
	// Payload is the checksum of what was asked, Caller who asked.
	Payload [32]byte
	Caller  string
	Result  Result
}

// AuditRecord is one change, or an aggregate of denied attempts (I16).
type AuditRecord struct {
	Sequence       uint64
	Index          uint64
	At             int64
	Actor          string
	Authentication string
	Source         string
	Action         string
	Environment    string
	Object         string
	Reason         string
	Detail         string
	RequestID      string
	Hash           [32]byte
}
