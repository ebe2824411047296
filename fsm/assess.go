package fsm

import "strings"

// assess derives an environment's health from what its nodes say they serve.
// What an operation found out is not overwritten: Progressing lasts until it
// ends, Unhealthy until something else is activated. What breaks later is
// drift: it degrades and never rolls back.
func (c *change) assess(env *Environment) {
	if env.Active == nil || env.Operation != nil || env.Health == Unhealthy {
		return
	}
	env.Health, env.HealthMessage = Healthy, ""
	var findings []string
	for n := range c.nodes.now().all("") {
		if finding := n.finding(env); finding != "" {
			findings = append(findings, finding)
		}
	}
	if len(findings) > 0 {
		env.Health, env.HealthMessage = Degraded, strings.Join(findings, "; ")
	}
}

// finding says what is wrong with what an available voter serves; empty if nothing is.
func (n *Node) finding(env *Environment) string {
	if n == nil || !n.Available || !n.Voter {
		return ""
	}
	served := n.serves(env.Name)
	switch {
	case served == nil:
		return "node " + n.ID + " does not serve it yet"
	case served.Epoch < env.Active.Epoch || served.Index < env.Active.Index:
		return "node " + n.ID + " serves an earlier activation"
	case !served.Healthy:
		return "node " + n.ID + ": " + served.Message
	default:
		return ""
	}
}

// assessAll looks again at the environments for which a node's word changed;
// nil is a node that was not there before, or is not any more.
func (c *change) assessAll(before, after *Node) {
	for env := range c.environments.now().all("") {
		if env.Active == nil || before.finding(env) == after.finding(env) {
			continue
		}
		alter := *env
		c.assess(&alter)
		if alter.Health != env.Health || alter.HealthMessage != env.HealthMessage {
			c.touch(&alter)
		}
	}
}

// SyncOf compares what an environment serves with the head of its branch.
func SyncOf(env *Environment) SyncStatus {
	switch {
	case env.Operation != nil && env.Operation.Kind == Deploy:
		return Syncing
	case env.LatestCommit == "":
		return SyncUnknown
	case env.Active != nil && env.LatestDigest != "" && env.LatestDigest == env.Active.Digest:
		return Synced
	default:
		return OutOfSync
	}
}

// SyncOfDeployment is the same for one record: what it came to.
func SyncOfDeployment(d *Deployment) SyncStatus {
	switch d.State {
	case Completed:
		return Synced
	case Applying:
		return Syncing
	default:
		return OutOfSync
	}
}
