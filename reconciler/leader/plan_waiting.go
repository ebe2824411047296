package leader

import (
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// planWaiting begins the oldest deployment that may begin, and ends waits for
// approval that took too long.
func planWaiting(in Inputs, env *fsm.Environment, d *Decisions) {
	for _, id := range env.Waiting {
		waiting := in.State.Deployment(id)
		if waiting == nil {
			continue
		}
		if expires := waiting.ApprovalExpires(); expires > 0 {
			if in.ClockTrusted && in.Now >= expires {
				expire(env, id, d)
				return
			}
			d.wakeAt(expires)
			continue
		}
		if waiting.State == fsm.Pending && mayBegin(in, env, waiting, d) {
			begin(in, env, id, d)
			return
		}
	}
}

func expire(env *fsm.Environment, id string, d *Decisions) {
	d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_ExpireApproval{ExpireApproval: &pb.ExpireApproval{
		Environment: env.Name, ExpectedSequence: env.Sequence, DeploymentId: id,
	}}})
}

// mayBegin looks at pause, dry run and window. The window needs a calendar, so
// the leader alone looks at it, and only with a clock that it trusts.
func mayBegin(in Inputs, env *fsm.Environment, waiting *fsm.Deployment, d *Decisions) bool {
	if in.State.Settings().DryRun && waiting.DryRun {
		return false
	}
	if in.State.Hold(env.Name, waiting.Digest) != nil {
		return false
	}
	if waiting.Overridden {
		return true
	}
	if env.Pause != nil || in.State.Meta().Freeze != nil {
		return false
	}
	open, next := window(waiting.Policy, in.Now)
	if open {
		return in.ClockTrusted || !limited(waiting.Policy)
	}
	d.wakeAt(next)
	return false
}

// window reports whether a policy lets something begin now, and else when it
// next does (0: not that can be foreseen). A window that cannot be read is
// closed: it never fails open.
func window(p *fsm.Policy, now int64) (open bool, next int64) {
	if p == nil || len(p.Canonical) == 0 {
		return true, 0
	}
	parsed, err := policy.FromNormalised(p.Canonical)
	if err != nil {
		return false, 0
	}
	at := time.UnixMilli(now).UTC()
	if parsed.Window.Open(at) {
		return true, 0
	}
	opens, ok := parsed.Window.NextOpen(at)
	if !ok {
		return false, 0
	}
	return false, opens.UnixMilli()
}

// limited reports whether a policy has a window at all.
func limited(p *fsm.Policy) bool {
	if p == nil || len(p.Canonical) == 0 {
		return false
	}
	parsed, err := policy.FromNormalised(p.Canonical)
	if err != nil {
		return true
	}
	w := parsed.Window
	return len(w.Days) > 0 || w.Start != 0 || w.End != 0 || len(w.Blackouts) > 0
}
