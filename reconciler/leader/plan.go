package leader

import (
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Plan decides what the leader does next. It is pure: equal inputs, equal
// decisions. What it proposes is fenced by the environment's sequence and the
// term, so that a decision on an old state is refused, not executed (I10).
func Plan(in Inputs) Decisions {
	var d Decisions
	if in.State.Settings() == nil {
		return d
	}
	planNodes(in, &d)
	planFormat(in, &d)
	planSettings(in, &d)
	planFreeze(in, &d)
	for env := range in.State.Environments() {
		if env.Retired {
			continue
		}
		planPause(in, env, &d)
		if env.Operation != nil {
			planOperation(in, env, &d)
		} else {
			planWaiting(in, env, &d)
		}
		planCandidate(in, env, &d)
	}
	planPolls(in, &d)
	planFaults(in, &d)
	return d
}

func planFreeze(in Inputs, d *Decisions) {
	freeze := in.State.Meta().Freeze
	if freeze == nil || freeze.Until == 0 {
		return
	}
	if in.ClockTrusted && in.Now >= freeze.Until {
		d.propose("freeze", &pb.Payload{Command: &pb.Payload_ExpirePause{ExpirePause: &pb.ExpirePause{}}})
		return
	}
	d.wakeAt(freeze.Until)
}

func planPause(in Inputs, env *fsm.Environment, d *Decisions) {
	if env.Pause == nil || env.Pause.Until == 0 {
		return
	}
	if in.ClockTrusted && in.Now >= env.Pause.Until {
		d.propose("pause/"+env.Name, &pb.Payload{Command: &pb.Payload_ExpirePause{
			ExpirePause: &pb.ExpirePause{Environment: env.Name},
		}})
		return
	}
	d.wakeAt(env.Pause.Until)
}

// planOperation moves on what is on its way onto the nodes.
func planOperation(in Inputs, env *fsm.Environment, d *Decisions) {
	op := env.Operation
	switch op.Phase {
	case fsm.PhaseNone:
		if !op.Gated {
			begin(in, env, op.DeploymentID, d)
		}
	case fsm.Staging:
		planStaging(in, env, op, d)
	case fsm.Activating:
		planActivation(in, env, op, d)
	case fsm.Verifying:
		planVerification(in, env, op, d)
	}
}

// begin proposes staging on the voters that are available, if they are a majority.
func begin(in Inputs, env *fsm.Environment, deploymentID string, d *Decisions) {
	m := &pb.BeginStaging{
		Environment: env.Name, ExpectedSequence: env.Sequence, DeploymentId: deploymentID, Voters: in.Voters,
	}
	for _, id := range in.Voters {
		if n := in.State.Node(id); n != nil && n.Available {
			m.Participants = append(m.Participants, &pb.ParticipantValue{NodeId: id, Incarnation: n.Incarnation})
		}
	}
	if len(m.GetParticipants())*2 > len(in.Voters) {
		d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_BeginStaging{BeginStaging: m}})
	}
}

func planStaging(in Inputs, env *fsm.Environment, op *fsm.Operation, d *Decisions) {
	m := &pb.RecordStaging{Environment: env.Name, ExpectedSequence: env.Sequence, Operation: op.ID}
	answers, complete := collect(in, env, op, false, d)
	m.Answers = answers
	m.Deadline = in.ClockTrusted && in.Now >= op.Deadline
	for _, p := range op.Participants {
		m.Services = max(m.GetServices(), in.Answers[Question{env.Name, op.ID, p.NodeID, false}].Services)
	}
	if complete || m.GetDeadline() {
		d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: m}})
		return
	}
	d.wakeAt(op.Deadline)
}

// collect returns what the participants said, asks those whose word still
// counts and is missing, and reports whether none is missing.
func collect(in Inputs, env *fsm.Environment, op *fsm.Operation, verify bool, d *Decisions) ([]*pb.AnswerValue, bool) {
	var answers []*pb.AnswerValue
	complete := true
	for _, p := range op.Participants {
		recorded := p.Staged
		if verify {
			recorded = p.Verified
		}
		q := Question{Environment: env.Name, Operation: op.ID, Node: p.NodeID, Verify: verify}
		if a, ok := in.Answers[q]; ok && a.Incarnation == p.Incarnation {
			answers = append(answers, &pb.AnswerValue{
				NodeId: p.NodeID, Incarnation: p.Incarnation, Accepted: a.Accepted, Problems: bounded(a.Problems),
			})
			continue
		}
		if recorded == fsm.AnswerNone && counts(in, p) {
			d.Questions = append(d.Questions, q)
			complete = false
		}
	}
	return answers, complete
}

// counts reports whether a participant's word still matters.
func counts(in Inputs, p fsm.Participant) bool {
	n := in.State.Node(p.NodeID)
	return n != nil && n.Available && n.Incarnation == p.Incarnation
}

func planActivation(in Inputs, env *fsm.Environment, op *fsm.Operation, d *Decisions) {
	if mayActivate(in, op) {
		d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_Activate{Activate: &pb.Activate{
			Environment: env.Name, ExpectedSequence: env.Sequence, Operation: op.ID, Voters: in.Voters,
		}}})
		return
	}
	// A participant that was unavailable when the others had staged may be back.
	m := &pb.RecordStaging{Environment: env.Name, ExpectedSequence: env.Sequence, Operation: op.ID}
	answers, _ := collect(in, env, op, false, d)
	m.Answers = slices.DeleteFunc(answers, func(a *pb.AnswerValue) bool { return recorded(op, a) })
	m.Answers = append(m.Answers, reinforcements(in, env, op, d)...)
	m.Deadline = in.ClockTrusted && in.Now >= op.Deadline
	if len(m.GetAnswers()) > 0 || m.GetDeadline() {
		d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: m}})
		return
	}
	d.wakeAt(op.Deadline)
}

// reinforcements are the voters that came back after staging began and have
// staged it since; those that were not asked yet are asked. Without them the
// participants may have no majority left.
func reinforcements(in Inputs, env *fsm.Environment, op *fsm.Operation, d *Decisions) []*pb.AnswerValue {
	var joined []*pb.AnswerValue
	for _, id := range in.Voters {
		n := in.State.Node(id)
		if n == nil || !n.Available || slices.ContainsFunc(op.Participants, func(p fsm.Participant) bool {
			return p.NodeID == id && p.Incarnation == n.Incarnation
		}) {
			continue
		}
		q := Question{Environment: env.Name, Operation: op.ID, Node: id, Verify: false}
		switch a, ok := in.Answers[q]; {
		case !ok || a.Incarnation != n.Incarnation:
			d.Questions = append(d.Questions, q)
		case a.Accepted:
			joined = append(joined, &pb.AnswerValue{NodeId: id, Incarnation: n.Incarnation, Accepted: true})
		}
	}
	return joined
}

// recorded reports whether the state knows an answer to staging already.
func recorded(op *fsm.Operation, a *pb.AnswerValue) bool {
	want := fsm.AnswerNo
	if a.GetAccepted() {
		want = fsm.AnswerYes
	}
	return slices.ContainsFunc(op.Participants, func(p fsm.Participant) bool {
		return p.NodeID == a.GetNodeId() && p.Staged == want
	})
}

// mayActivate is the state machine's own rule, looked at beforehand so that
// nothing is proposed only to be refused.
func mayActivate(in Inputs, op *fsm.Operation) bool {
	staged := 0
	for _, p := range op.Participants {
		voter := slices.Contains(in.Voters, p.NodeID)
		switch {
		case p.Staged == fsm.AnswerYes && voter:
			staged++
		case voter && counts(in, p):
			return false
		}
	}
	return staged*2 > len(in.Voters)
}

func planVerification(in Inputs, env *fsm.Environment, op *fsm.Operation, d *Decisions) {
	m := &pb.FinishDeployment{Environment: env.Name, ExpectedSequence: env.Sequence, Operation: op.ID}
	answers, complete := collect(in, env, op, true, d)
	m.Answers = answers
	m.Deadline = in.ClockTrusted && in.Now >= op.Deadline
	if complete || m.GetDeadline() {
		d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_FinishDeployment{FinishDeployment: m}})
		return
	}
	d.wakeAt(op.Deadline)
}
