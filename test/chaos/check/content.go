package check

import (
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// journals is I1, I2 and I4: each node activated what was decided, in order, once, and ends with what is active.
func journals(v *Verdict, e *Evidence) {
	state := e.State()
	for _, environment := range e.Round.Environments {
		committed := messages(activations(state, environment.Name))
		for _, n := range e.Nodes {
			for _, err := range compareJournal(n.Journal, environment.Name, committed) {
				v.fail(err.Promise, "%s, %s: %s", n.ID, environment.Name, err.Text)
			}
			var last node.Entry
			for _, entry := range n.Journal {
				if entry.Environment == environment.Name {
					last = entry
				}
			}
			active := state.Environment(environment.Name).Active
			if len(e.Round.Ends) > 0 && active != nil && (last.ActivationIndex != active.Index || last.Phase == node.Intent) {
				v.fail("I1", "%s ends with %s of activation %d of %s, active is %d", n.ID, last.Phase, last.ActivationIndex, environment.Name, active.Index)
			}
		}
	}
}

// digests is I6: whatever a node served had been activated, and no node went back to what it had served before, other
// than by a later activation of the same content.
func digests(v *Verdict, e *Evidence) {
	state := e.State()
	for _, environment := range e.Round.Environments {
		list := activations(state, environment.Name)
		for _, n := range e.Nodes {
			var at uint64 // the least activation that the node can be at
			for _, p := range served(e.Polls, n.ID, environment.Name) {
				next := slices.IndexFunc(list, func(a *fsm.Activation) bool { return a.Digest == p.Digest && a.Index >= at })
				known := slices.ContainsFunc(list, func(a *fsm.Activation) bool { return a.Digest == p.Digest })
				switch {
				case !known:
					v.fail("I6", "%s served %.8s of %s at %s, which was never activated", n.ID, p.Digest, environment.Name, p.From)
				case next < 0:
					v.fail("I1", "%s served %.8s of %s at %s, after it had served activation %d", n.ID, p.Digest, environment.Name, p.From, at)
				default:
					at = list[next].Index
				}
			}
		}
	}
}

// served are the polls of a node and environment that were answered with a content, in their order.
func served(polls []history.Poll, id, environment string) (some []history.Poll) {
	for _, p := range polls {
		if p.Node == id && p.Environment == environment && p.Digest != "" {
			some = append(some, p)
		}
	}
	slices.SortStableFunc(some, func(a, b history.Poll) int { return int(a.From - b.From) })
	return some
}

// targets is I7: a rollback led to what had been activated before, in the same environment, and had completed.
func targets(v *Verdict, e *Evidence) {
	state := e.State()
	for _, environment := range e.Round.Environments {
		before := map[string]bool{}
		for _, a := range activations(state, environment.Name) {
			target := state.Deployment(a.DeploymentID)
			if a.Kind == fsm.Rollback && (!before[a.Digest] || target == nil || !target.EverCompleted) {
				v.fail("I7", "activation %d of %s rolled back to %s, which had not completed", a.Index, environment.Name, a.DeploymentID)
			}
			before[a.Digest] = true
		}
	}
}

// records is I12 and I17: one record for each content of a commit, and none of what was never committed.
func records(v *Verdict, e *Evidence) {
	state := e.State()
	for _, environment := range e.Round.Environments {
		seen := map[[2]string]string{}
		for d := range state.Deployments(environment.Name) {
			key := [2]string{d.Commit, d.Digest}
			if seen[key] != "" {
				v.fail("I12", "%s and %s are both for commit %s", seen[key], d.ID, d.Commit)
			}
			seen[key] = d.ID
			if !slices.Contains(e.Round.Commits, d.Commit) {
				v.fail("I17", "%s is for commit %s, which nobody made", d.ID, d.Commit)
			}
			if len(e.Round.Ends) > 0 && !d.State.Terminal() && d.State != fsm.AwaitingApproval {
				v.fail("I14", "%s is still %s", d.ID, d.State)
			}
		}
	}
}

// rewrites is I13: outside of development, what follows a rewrite was approved, and says what it replaces.
func rewrites(v *Verdict, e *Evidence) {
	state := e.State()
	for _, environment := range e.Round.Environments {
		for d := range state.Deployments(environment.Name) {
			if !d.Rewritten || d.Activation == 0 {
				continue
			}
			if environment.Name != "development" && len(d.Approvals) == 0 && !d.Overridden {
				v.fail("I13", "%s follows a rewrite and was activated without a word", d.ID)
			}
			if d.PreviousCommit == "" {
				v.fail("I13", "%s follows a rewrite and does not say of what", d.ID)
			}
		}
	}
}

// held: what was rolled away from or rejected is not deployed again. Nobody lifts a hold in a round.
func held(v *Verdict, e *Evidence) {
	state := e.State()
	for _, environment := range e.Round.Environments {
		gone := map[string]uint64{}
		for r := range state.Audit(0) {
			if d := state.Deployment(r.Object); r.Action == "deployment.reject" && d != nil && d.Environment == environment.Name {
				gone[d.Digest] = r.Index
			}
		}
		var previous *fsm.Activation
		for _, a := range activations(state, environment.Name) {
			if a.Kind == fsm.Rollback && previous != nil {
				gone[previous.Digest] = a.RaftIndex
			}
			if since, ok := gone[a.Digest]; ok && a.Kind == fsm.Deploy && a.RaftIndex > since {
				v.fail("hold", "activation %d of %s deployed %s, which is held since index %d", a.Index, environment.Name, a.DeploymentID, since)
			}
			previous = a
		}
	}
}

// ends is I14: healed, the cluster came to rest; whether it did is what the round itself waited for.
func ends(v *Verdict, e *Evidence) {
	if len(e.Round.Ends) != len(e.Nodes) {
		v.fail("I14", "the cluster did not come to rest after everything was healed")
	}
	for _, c := range e.Calls {
		if c.Returned < c.Called || c.Returned > e.Round.Length+time.Minute {
			v.fail("history", "a call returned at %s, called at %s", c.Returned, c.Called)
		}
	}
}
