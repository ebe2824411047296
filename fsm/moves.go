package fsm

import "slices"

// move takes a deployment to another state, with a line of history and an
// audit record. A way that the table does not have is a defect of this build:
// it halts the node rather than let the replicas disagree about it.
func (c *change) move(d *Deployment, to DeploymentState, message string) error {
	if !mayLeave(d.State, to) {
		return &FatalError{Index: c.entry.Index, Reason: "deployment " + d.ID + " cannot go from " + d.State.String() + " to " + to.String()}
	}
	c.line(d, to, PhaseNone, message)
	d.State, d.Phase = to, PhaseNone
	if to.Terminal() {
		d.CompletedAt = c.now()
	} else {
		d.CompletedAt = 0
	}
	d.Health = healthOf(to)
	c.audit("deployment."+actionOf(to), d.Environment, d.ID, d.ReasonCode, message)
	return nil
}

// enter takes an applying deployment to its next phase.
func (c *change) enter(d *Deployment, phase Phase, message string) {
	c.line(d, d.State, phase, message)
	d.Phase = phase
	c.audit("deployment.phase", d.Environment, d.ID, phase.String(), message)
}

func (c *change) line(d *Deployment, to DeploymentState, phase Phase, message string) {
	d.Updated = c.now()
	d.History = append(slices.Clip(d.History), Transition{From: d.State, To: to, Phase: phase, At: c.now(), Message: message})
	if over := len(d.History) - maxTransitions; over > 0 {
		d.History = slices.Clone(d.History[over:])
	}
}

func healthOf(state DeploymentState) Health {
	switch state {
	case Applying:
		return Progressing
	case Completed:
		return Healthy
	case Failed, RolledBack:
		return Unhealthy
	default:
		return HealthUnknown
	}
}

func actionOf(state DeploymentState) string {
	switch state {
	case Pending:
		return "pending"
	case AwaitingApproval:
		return "awaiting_approval"
	case Applying:
		return "applying"
	case Completed:
		return "completed"
	case Failed:
		return "failed"
	case RolledBack:
		return "rolled_back"
	case Superseded:
		return "superseded"
	default:
		return "created"
	}
}

// fail ends a deployment that is not active, and holds its digest: neither
// polling nor an unrelated commit brings it back.
func (c *change) fail(env *Environment, d *Deployment, code, message string) error {
	d.ReasonCode, d.Error = code, message
	if err := c.move(d, Failed, message); err != nil {
		return err
	}
	c.hold(env, d, code)
	c.unwait(env, d.ID)
	env.CurrentID = d.ID
	env.Counters.Failure++
	env.Counters.Failed.Observe(c.now() - orDefault(d.Started, d.Created))
	c.putDeployment(d)
	return nil
}

// holdDigest is what a deployment is held by. A commit that could not be read
// has no digest and is held by its id; so is one that is not signed as it has
// to be: its content is not at fault.
func holdDigest(commit, digest, reason string) string {
	if digest == "" || refusedForSignature(reason) {
		return "commit:" + commit
	}
	return digest
}

func (c *change) hold(env *Environment, d *Deployment, reason string) {
	if plantForgetHold {
		return
	}
	c.holds.put(&Hold{
		Environment: env.Name, Digest: holdDigest(d.Commit, d.Digest, reason), Commit: d.Commit,
		Reason: reason, DeploymentID: d.ID, Since: c.now(),
	})
	c.trimHolds(env)
}

func (c *change) lift(env *Environment, d *Deployment) {
	for _, digest := range []string{d.Digest, ""} {
		c.holds.drop(join(env.Name, holdDigest(d.Commit, digest, "")))
	}
}

func (c *change) unwait(env *Environment, id string) {
	env.Waiting = slices.DeleteFunc(slices.Clone(env.Waiting), func(w string) bool { return w == id })
}
