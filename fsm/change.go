package fsm

import (
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// change is the work of one Apply: tables under edit, thrown away if the
// command is refused.
type change struct {
	entry    Entry
	envelope *pb.Envelope
	base     *State
	meta     Meta

	environments edit[Environment]
	deployments  edit[Deployment]
	byAge        edit[Deployment]
	byContent    edit[Deployment]
	activations  edit[Activation]
	bundles      edit[Bundle]
	uploads      edit[Upload]
	nodes        edit[Node]
	holds        edit[Hold]
	requests     edit[Request]
	requestAges  edit[Request]
	audits       edit[AuditRecord]
	tokens       edit[Token]

	// unchained are audit records that wait for the end of the change.
	unchained []*AuditRecord
}

func newChange(s *State, e Entry, envelope *pb.Envelope) *change {
	return &change{
		entry: e, envelope: envelope, base: s, meta: s.meta,
		environments: s.environments.edit(),
		deployments:  s.deployments.edit(),
		byAge:        s.byAge.edit(),
		byContent:    s.byContent.edit(),
		activations:  s.activations.edit(),
		bundles:      s.bundles.edit(),
		uploads:      s.uploads.edit(),
		nodes:        s.nodes.edit(),
		holds:        s.holds.edit(),
		requests:     s.requests.edit(),
		requestAges:  s.requestAges.edit(),
		audits:       s.audit.edit(),
		tokens:       s.tokens.edit(),
	}
}

func (c *change) commit() *State {
	c.chainAudit()
	return &State{
		meta:         c.meta,
		environments: c.environments.hashed(),
		deployments:  c.deployments.hashed(),
		byAge:        c.byAge.hashed(),
		byContent:    c.byContent.hashed(),
		activations:  c.activations.hashed(),
		bundles:      c.bundles.hashed(),
		uploads:      c.uploads.hashed(),
		nodes:        c.nodes.hashed(),
		holds:        c.holds.hashed(),
		requests:     c.requests.hashed(),
		requestAges:  c.requestAges.hashed(),
		audit:        c.audits.hashed(),
		tokens:       c.tokens.hashed(),
	}
}

// now is the replicated clock, Unix milliseconds.
func (c *change) now() int64 { return c.meta.Now }

func (c *change) ordinal() uint64 {
	c.meta.Ordinal++
	return c.meta.Ordinal
}

// actor is who the change is attributed to. A leader half acts as GitWatcher.
func (c *change) actor() string {
	if id := c.envelope.GetCaller().GetIdentity(); id != "" {
		return id
	}
	return Watcher
}

// Watcher is the identity of the leader half, as the state files spell it.
const Watcher = "GitWatcher"

// environment returns a copy to be altered and put back, or a refusal.
func (c *change) environment(name string) (*Environment, error) {
	env := c.environments.get(name)
	if env == nil || env.Retired {
		return nil, refuse(ClassNotFound, "unknown_environment", "there is no environment %q; the settings name %s", name, c.environmentNames())
	}
	alter := *env
	return &alter, nil
}

// fenced is environment with the sequence that the leader decided on (I10).
func (c *change) fenced(name string, sequence uint64) (*Environment, error) {
	env, err := c.environment(name)
	if err != nil {
		return nil, err
	}
	if env.Sequence != sequence && !plantIgnoreSequence {
		return nil, refuse(ClassAborted, "stale_sequence",
			"decided at sequence %d of environment %q, which is at %d", sequence, name, env.Sequence)
	}
	return env, nil
}

// decide puts an environment back after a decision about it.
func (c *change) decide(env *Environment) {
	env.Sequence++
	c.touch(env)
}

// touch puts an environment back after an observation.
func (c *change) touch(env *Environment) {
	env.Changed = c.entry.Index
	c.environments.put(env)
}

func (c *change) putDeployment(d *Deployment) {
	c.deployments.put(d)
	c.byAge.put(d)
	c.byContent.put(d)
}

func (c *change) dropDeployment(d *Deployment) {
	c.deployments.drop(d.ID)
	c.byAge.drop(deploymentAge(d))
	c.byContent.drop(deploymentContent(d))
}

// deployment returns a copy to be altered, with its environment, or a refusal.
func (c *change) deployment(id string) (*Deployment, *Environment, error) {
	found := c.deployments.get(id)
	if found == nil {
		return nil, nil, refuse(ClassNotFound, "unknown_deployment", "there is no deployment %q", id)
	}
	env, err := c.environment(found.Environment)
	if err != nil {
		return nil, nil, err
	}
	d := *found
	return &d, env, nil
}

// result names what a command changed.
func result(env *Environment, deploymentID string) Result {
	return Result{Environment: env.Name, Sequence: env.Sequence, DeploymentID: deploymentID}
}

// environmentNames lists what an operator may have meant.
func (c *change) environmentNames() string {
	names := ""
	for i, e := range c.meta.Settings.Environments {
		if i > 0 {
			names += ", "
		}
		names += e.Name
	}
	if names == "" {
		return "none"
	}
	return names
}
