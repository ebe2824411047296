package sim

import (
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// choice is a command with a weight.
type choice struct {
	weight  float64
	payload *pb.Payload
}

// choices are what a caller may ask for, looking at the state of some node.
type choices struct {
	w    *world
	list []choice
}

func (cs *choices) add(weight float64, payload *pb.Payload) {
	cs.list = append(cs.list, choice{weight, payload})
}

func (cs *choices) pick() *pb.Payload {
	total := 0.0
	for _, c := range cs.list {
		total += c.weight
	}
	at := cs.w.random.Float64() * total
	for _, c := range cs.list {
		if at -= c.weight; at < 0 {
			return c.payload
		}
	}
	return nil
}

// choose looks at the state of some node, which may be old.
func (c *caller) choose() *pb.Payload {
	w := c.w
	n := pick(w, w.nodes)
	if !n.up || n.state.Settings() == nil {
		return nil
	}
	cs := &choices{w: w}
	for env := range n.state.Environments() {
		cs.environment(n.state, env)
	}
	cs.add(0.4, &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Branch: "main"}}})
	cs.add(0.3, pause("", 20_000, w))
	if n.state.Meta().Freeze != nil {
		cs.add(3, resume(""))
	}
	cs.add(0.3, &pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{
		Settings: w.changedSettings(n.settingsFile.settings), Reason: "an admin says so",
	}}})
	return cs.pick()
}

func (cs *choices) environment(s *fsm.State, env *fsm.Environment) {
	w := cs.w
	for _, id := range env.Waiting {
		if d := s.Deployment(id); d != nil {
			cs.waiting(d)
		}
	}
	if op := env.Operation; op != nil {
		cs.add(0.5, cancel(op.DeploymentID))
		if op.Gated {
			cs.add(5, approve(&fsm.Deployment{ID: op.DeploymentID}, false))
			cs.add(0.7, reject(op.DeploymentID))
		}
	}
	seen := 0
	for d := range s.Deployments(env.Name) {
		if seen++; seen > 4 {
			break
		}
		if d.State == fsm.Failed || d.State == fsm.RolledBack {
			cs.add(0.6, &pb.Payload{Command: &pb.Payload_Retry{Retry: &pb.RetryCommand{DeploymentId: d.ID, Override: w.chance(0.3), Reason: "again"}}})
		}
		if env.Active != nil {
			cs.add(w.plantWeight(0.4), rollback(env.Name, d.ID))
		}
	}
	if env.Active != nil {
		cs.add(1.2, rollback(env.Name, ""))
	}
	cs.add(0.3, pause(env.Name, 10_000, w))
	if env.Pause != nil {
		cs.add(3, resume(env.Name))
	}
	cs.add(0.4, poll(env.Name, false))
	weight := 0.2
	for range s.Holds(env.Name) {
		weight = 1.5
	}
	cs.add(weight, poll(env.Name, true))
}

// waiting is what may be done with something that waits.
func (cs *choices) waiting(d *fsm.Deployment) {
	cs.add(0.4, cancel(d.ID))
	cs.add(0.4, approve(d, true))
	if d.State == fsm.AwaitingApproval {
		cs.add(6, approve(d, false))
		cs.add(0.5, reject(d.ID))
	}
}

func approve(d *fsm.Deployment, override bool) *pb.Payload {
	m := &pb.ApproveCommand{DeploymentId: d.ID, Override: override, Comment: "looks good"}
	if override {
		m.Reason = "it has to be"
	}
	if d.Commit != "" {
		m.ExpectedCommit, m.ExpectedDigest, m.ExpectedPolicyDigest = d.Commit, d.Digest, d.Policy.Digest()
	}
	return &pb.Payload{Command: &pb.Payload_Approve{Approve: m}}
}

func reject(id string) *pb.Payload {
	return &pb.Payload{Command: &pb.Payload_Reject{Reject: &pb.RejectCommand{DeploymentId: id, Reason: "no"}}}
}

func cancel(id string) *pb.Payload {
	return &pb.Payload{Command: &pb.Payload_Cancel{Cancel: &pb.CancelCommand{DeploymentId: id, Reason: "not now"}}}
}

func rollback(environment, to string) *pb.Payload {
	return &pb.Payload{Command: &pb.Payload_Rollback{Rollback: &pb.RollbackCommand{Environment: environment, ToDeploymentId: to, Reason: "it is broken"}}}
}

func poll(environment string, lift bool) *pb.Payload {
	return &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: environment, LiftHold: lift}}}
}

// pause is a pause of an environment, or of all if it is empty; half of them
// end by themselves.
func pause(environment string, atMost int64, w *world) *pb.Payload {
	m := &pb.PauseCommand{Environment: environment, All: environment == "", Reason: "holidays"}
	if w.random.IntN(2) == 0 {
		m.UntilMs = w.now + w.between(500, atMost)
	}
	return &pb.Payload{Command: &pb.Payload_Pause{Pause: m}}
}

func resume(environment string) *pb.Payload {
	return &pb.Payload{Command: &pb.Payload_Resume{Resume: &pb.ResumeCommand{Environment: environment, All: environment == ""}}}
}
