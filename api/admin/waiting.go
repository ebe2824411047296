package admin

import (
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// wait is why a deployment is Pending.
type wait struct {
	code, words string
	// until is Unix milliseconds, 0 if nobody can say.
	until int64
}

// addWaiting says why a deployment is Pending. The leader decides by the same
// rules, in the same order, when it looks for what may begin.
func addWaiting(m *pb.Deployment, state *fsm.State, d *fsm.Deployment) {
	env := state.Environment(d.Environment)
	if d.State != fsm.Pending || env == nil {
		return
	}
	w := waitOf(state, env, d)
	m.WaitingCode, m.WaitingFor, m.MayBeginAt = w.code, w.words, timestamp(w.until)
}

func waitOf(state *fsm.State, env *fsm.Environment, d *fsm.Deployment) wait {
	switch freeze := state.Meta().Freeze; {
	case state.Settings().DryRun && d.DryRun:
		return wait{code: "dry_run", words: "GitOps.DryRun is on: nothing is activated"}
	case d.Overridden:
	case env.Pause != nil:
		return paused("paused", env.Name+" is paused", env.Pause)
	case freeze != nil:
		return paused("frozen", "the cluster is frozen", freeze)
	default:
		if w, closed := windowOf(d.Policy, state.Now()); closed {
			return w
		}
	}
	if op := env.Operation; op != nil {
		return wait{code: "turn", words: fmt.Sprintf("the %s of %s comes first", op.Kind, op.DeploymentID)}
	}
	return wait{}
}

func paused(code, what string, p *fsm.Pause) wait {
	w := wait{code: code, words: fmt.Sprintf("%s by %s: %s", what, p.Actor, p.Reason), until: p.Until}
	if p.Until > 0 {
		w.words = fmt.Sprintf("%s by %s until %s: %s", what, p.Actor, instant(p.Until), p.Reason)
	}
	return w
}

// windowOf looks at the window of a policy at a time of the replicated clock.
func windowOf(p *fsm.Policy, now int64) (w wait, closed bool) {
	if p == nil || len(p.Canonical) == 0 {
		return wait{}, false
	}
	parsed, err := policy.FromNormalised(p.Canonical)
	if err != nil {
		return wait{code: "window", words: "the window of its policy cannot be read: " + err.Error()}, true
	}
	at := time.UnixMilli(now).UTC()
	if parsed.Window.Open(at) {
		return wait{}, false
	}
	opens, ok := parsed.Window.NextOpen(at)
	if !ok {
		return wait{code: "window", words: "the window of its policy does not open again"}, true
	}
	words := "its window opens at " + instant(opens.UnixMilli())
	for _, b := range parsed.Window.Blackouts {
		if !at.Before(b.From) && at.Before(b.To) {
			words = fmt.Sprintf("blackout (%s); %s", b.Reason, words)
			break
		}
	}
	return wait{code: "window", words: words, until: opens.UnixMilli()}, true
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
