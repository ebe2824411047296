package check

import (
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// primary is the audit record that a change writes once, if it changes something.
var primary = map[history.Kind]string{
	history.Approve: "deployment.approve", history.Reject: "deployment.reject", history.Rollback: "environment.rollback",
	history.Pause: "environment.pause", history.Resume: "environment.resume",
}

// always are the changes that cannot be done already when they are asked for.
var always = map[history.Kind]bool{history.Reject: true, history.Rollback: true, history.Pause: true}

// acknowledged is I3: what was acknowledged is in the final state exactly once, and what was called not executed or
// refused is not.
func acknowledged(v *Verdict, e *Evidence) {
	state := e.State()
	recorded := map[string]map[string]int{}
	for r := range state.Audit(0) {
		if recorded[r.RequestID] == nil {
			recorded[r.RequestID] = map[string]int{}
		}
		recorded[r.RequestID][r.Action]++
	}
	succeeded := map[string]bool{}
	for _, c := range e.Calls {
		succeeded[c.RequestID] = succeeded[c.RequestID] || c.Outcome == history.OK
	}
	for _, c := range e.Calls {
		if c.RequestID == "" {
			continue
		}
		kept, times := state.Request(c.RequestID), recorded[c.RequestID][primary[c.Kind]]
		executed := kept != nil && kept.Result.Refusal == nil
		switch {
		case c.Outcome == history.OK && (!executed || always[c.Kind] && times == 0):
			v.Lost++
			v.fail("I3", "lost: %s of %s with request %s was acknowledged, remembered is %+v, audited %d times", c.Kind, c.Environment, c.RequestID, kept, times)
		case times > 1:
			v.Double++
			v.fail("I3", "double: %s of %s with request %s was executed %d times", c.Kind, c.Environment, c.RequestID, times)
		case c.Outcome == history.Refused && succeeded[c.RequestID]:
			v.fail("I3", "%s of %s with request %s was acknowledged and, repeated, refused: %s", c.Kind, c.Environment, c.RequestID, c.Error)
		case (c.Outcome == history.Refused || c.Outcome == history.NotExecuted) && !succeeded[c.RequestID] && (executed || times > 0):
			v.fail("I3", "%s of %s with request %s was called %s, and was executed", c.Kind, c.Environment, c.RequestID, c.Outcome)
		}
	}
}

// sessions is I8 and I9 by the indexes of the answers: what begins after something was answered shows at least as much.
func sessions(v *Verdict, e *Evidence) {
	returns, calls := byReturn(e.Calls), byCall(e.Calls)
	newest, next := history.Call{}, 0
	for _, c := range calls {
		for ; next < len(returns) && returns[next].Returned < c.Called; next++ {
			if r := returns[next]; r.Outcome == history.OK && r.AppliedIndex > newest.AppliedIndex {
				newest = r
			}
		}
		if c.Read() && c.Outcome == history.OK && c.AppliedIndex < newest.AppliedIndex {
			v.fail("I8", "%s at %s, called at %s, shows index %d, and %s, which had returned at %s, index %d",
				c.Kind, c.Node, c.Called, c.AppliedIndex, newest.Kind, newest.Returned, newest.AppliedIndex)
			return // one such read makes many
		}
	}
}

// approvals is I5: no deployment was activated without the approvals that its policy asks for, each of them somebody's.
func approvals(v *Verdict, e *Evidence) {
	asked := map[string]history.Call{}
	for _, c := range e.Calls {
		asked[c.RequestID] = c
	}
	state := e.State()
	given := map[string][]*fsm.AuditRecord{}
	for r := range state.Audit(0) {
		if r.Action == "deployment.override" {
			v.fail("I5", "%s was overridden by %s: nobody did that", r.Object, r.Actor)
		}
		if r.Action != "deployment.approve" {
			continue
		}
		given[r.Object] = append(given[r.Object], r)
		if c, ok := asked[r.RequestID]; ok && (c.Kind != history.Approve || c.Actor != r.Actor || c.Deployment != r.Object) {
			v.fail("I5", "the approval of %s by %s is on record with a request that was %s of %s by %s", r.Object, r.Actor, c.Kind, c.Deployment, c.Actor)
		}
	}
	for _, environment := range e.Round.Environments {
		previous := fsm.Kind(0)
		for _, a := range activations(state, environment.Name) {
			needed := environment.Approvers
			if previous == fsm.Rollback && environment.Name != "development" {
				needed = max(needed, 1) // the first one after a rollback
			}
			previous = a.Kind
			if a.Kind != fsm.Deploy {
				continue
			}
			who := map[string]bool{}
			for _, r := range given[a.DeploymentID] {
				if r.Index < a.RaftIndex {
					who[r.Actor] = true
				}
			}
			if len(who) < needed {
				v.fail("I5", "%s was activated in %s as %d with %d approvers, not %d", a.DeploymentID, environment.Name, a.Index, len(who), needed)
			}
		}
	}
}
