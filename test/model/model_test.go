package model_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/model"
)

const env = "prod"

var voters = []string{"a", "b", "c"}

// machine drives the state machine with drawn commands, most of them near to
// what a leader and operators would send.
type machine struct {
	t       *rapid.T
	state   *fsm.State
	index   uint64
	term    uint64
	now     int64
	calls   int
	done    int
	refused int
	log     []fsm.Entry
}

func policy(t *rapid.T) *pb.PolicyValue {
	p := &pb.PolicyValue{
		AutoRollback: rapid.Bool().Draw(t, "auto"), RequiresApproval: rapid.Bool().Draw(t, "approval"),
		MinimumApprovers: rapid.Uint32Range(0, 2).Draw(t, "approvers"), ForbidAuthorApproval: rapid.Bool().Draw(t, "forbid"),
		RollbackRequiresApproval: rapid.IntRange(0, 3).Draw(t, "gated") == 0, ApproveAfterRollback: rapid.Bool().Draw(t, "after"),
	}
	p.Canonical = []byte(p.String())
	return p
}

func settings(t *rapid.T) *pb.SettingsValue {
	return &pb.SettingsValue{
		DryRun: rapid.IntRange(0, 9).Draw(t, "dry") == 0, HistoryLimit: rapid.Uint32Range(5, 50).Draw(t, "limit"),
		Environments: []*pb.EnvironmentValue{{Name: env, Branch: "main", Policy: policy(t)}},
	}
}

func newMachine(t *rapid.T) *machine {
	m := &machine{t: t, state: fsm.New(), term: 1, now: 1_700_000_000_000}
	m.lead(model.Other, &pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{ClusterId: "id", Settings: settings(t)}}})
	for _, id := range voters {
		m.lead(model.Other, &pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{NodeId: id, Incarnation: id, Voter: true}}})
	}
	return m
}

func (m *machine) lead(event model.Event, payload *pb.Payload) fsm.Result {
	return m.apply(event, fsm.Header{Proposer: "a", Term: m.term, ProposedAt: m.now}, payload)
}

func (m *machine) ask(event model.Event, payload *pb.Payload) fsm.Result {
	m.calls++
	who := rapid.SampledFrom([]string{"ann", "bea", "cyd"}).Draw(m.t, "who")
	return m.apply(event, fsm.Header{
		RequestID: fmt.Sprint("r", m.calls), IssuedAt: m.now, ProposedAt: m.now, Caller: &pb.Caller{Identity: who},
	}, payload)
}

func (m *machine) apply(event model.Event, h fsm.Header, payload *pb.Payload) fsm.Result {
	data, err := fsm.Encode(h, payload)
	if err != nil {
		m.t.Fatal(err)
	}
	m.index++
	e := fsm.Entry{Index: m.index, Term: m.term, Data: data}
	before, hash := m.state, m.state.Hash()
	next, result, err := fsm.Apply(before, e)
	if err != nil {
		m.t.Fatalf("the state machine halted: %v", err)
	}
	if before.Hash() != hash {
		m.t.Fatal("Apply changed the state that it was given")
	}
	if result.Refusal != nil {
		m.refused++
		m.unchanged(before, next, result)
	} else {
		m.done++
	}
	if err := model.Check(before, next, event); err != nil {
		m.t.Fatal(err)
	}
	m.state, m.log = next, append(m.log, e)
	return result
}

// unchanged: a refused command leaves nothing but the memory of its request.
func (m *machine) unchanged(before, after *fsm.State, r fsm.Result) {
	if after.Environment(env) != before.Environment(env) || after.Meta().AuditHead != before.Meta().AuditHead {
		m.t.Fatalf("a command that was refused (%s) changed something", r.Refusal.Reason)
	}
}

func (m *machine) env() *fsm.Environment { return m.state.Environment(env) }

// any draws a deployment, most often a new one; empty if there is none.
func (m *machine) any() string {
	var ids []string
	for d := range m.state.Deployments(env) {
		if ids = append(ids, d.ID); len(ids) == 5 {
			break
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return rapid.SampledFrom(ids).Draw(m.t, "deployment")
}

func (m *machine) create() {
	text := fmt.Sprint(rapid.IntRange(0, 6).Draw(m.t, "content"))
	encoded, err := bundle.Encode([]bundle.File{{Path: "environments/prod/metadata.json", Content: []byte(text)}})
	if err != nil {
		m.t.Fatal(err)
	}
	digest := bundle.Digest(encoded)
	m.lead(model.Other, &pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
		UploadId: fmt.Sprint("u", m.index), Digest: digest, Total: 1, RawSize: int64(len(encoded)), Data: bundle.Compress(encoded),
	}}})
	c := &pb.CreateDeployment{
		Environment: env, ExpectedSequence: m.env().Sequence, Digest: digest, Branch: "main",
		IdStem: env + "-" + time.UnixMilli(m.now).UTC().Format("20060102-150405"),
		Commit: fmt.Sprint("c", rapid.IntRange(0, 9).Draw(m.t, "commit")),
	}
	switch rapid.IntRange(0, 11).Draw(m.t, "broken") {
	case 0, 1:
		c.Problems, c.ReasonCode = []string{"broken"}, "validation_failed"
	case 2:
		c.Problems, c.ReasonCode, c.Digest = []string{"larger than the limit"}, "rejected_tree", ""
	}
	if rapid.IntRange(0, 3).Draw(m.t, "policy") == 0 {
		c.NextPolicy = policy(m.t)
	}
	m.lead(model.Create, &pb.Payload{Command: &pb.Payload_CreateDeployment{CreateDeployment: c}})
}

// advance takes the next step of what is under way, or begins something.
func (m *machine) advance() {
	e := m.env()
	op := e.Operation
	if op == nil || op.Phase == fsm.PhaseNone {
		m.begin(e)
		return
	}
	answers := m.answers(op)
	late := rapid.IntRange(0, 3).Draw(m.t, "late") == 0
	if late {
		m.now += 120_000
	}
	switch op.Phase {
	case fsm.Staging:
		m.lead(model.Stage, &pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: &pb.RecordStaging{
			Environment: env, ExpectedSequence: e.Sequence, Operation: op.ID, Answers: answers, Deadline: late,
		}}})
	case fsm.Activating:
		if m.lead(model.Activate, &pb.Payload{Command: &pb.Payload_Activate{Activate: &pb.Activate{
			Environment: env, ExpectedSequence: e.Sequence, Operation: op.ID, Voters: voters,
		}}}).Refusal != nil {
			m.lead(model.Stage, &pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: &pb.RecordStaging{
				Environment: env, ExpectedSequence: m.env().Sequence, Operation: op.ID, Answers: answers, Deadline: late,
			}}})
		}
	case fsm.Verifying:
		m.lead(model.Finish, &pb.Payload{Command: &pb.Payload_FinishDeployment{FinishDeployment: &pb.FinishDeployment{
			Environment: env, ExpectedSequence: e.Sequence, Operation: op.ID, Answers: answers, Deadline: late,
		}}})
	}
}

func (m *machine) begin(e *fsm.Environment) {
	b := &pb.BeginStaging{Environment: env, ExpectedSequence: e.Sequence, Voters: voters}
	if len(e.Waiting) > 0 {
		b.DeploymentId = rapid.SampledFrom(e.Waiting).Draw(m.t, "begins")
	}
	for n := range m.state.Nodes() {
		if n.Available {
			b.Participants = append(b.Participants, &pb.ParticipantValue{NodeId: n.ID, Incarnation: n.Incarnation})
		}
	}
	m.lead(model.Begin, &pb.Payload{Command: &pb.Payload_BeginStaging{BeginStaging: b}})
}

func (m *machine) answers(op *fsm.Operation) []*pb.AnswerValue {
	var answers []*pb.AnswerValue
	for _, p := range op.Participants {
		switch word := rapid.IntRange(0, 9).Draw(m.t, "answer"); {
		case word == 0:
		default:
			answers = append(answers, &pb.AnswerValue{NodeId: p.NodeID, Incarnation: p.Incarnation, Accepted: word > 1})
		}
	}
	return answers
}

// actions are what may happen, by name.
func (m *machine) actions() map[string]func(*rapid.T) {
	caller := func(event model.Event, make func() *pb.Payload) func(*rapid.T) {
		return func(*rapid.T) { m.ask(event, make()) }
	}
	actions := map[string]func(*rapid.T){
		"create": func(*rapid.T) { m.create() }, "step": func(*rapid.T) { m.advance() },
		"step again": func(*rapid.T) { m.advance() }, "and again": func(*rapid.T) { m.advance() },
		"time": func(*rapid.T) { m.now += rapid.Int64Range(0, 7_200_000).Draw(m.t, "ms") },
		"term": func(*rapid.T) { m.term++ },
		"node": func(*rapid.T) {
			id := rapid.SampledFrom(voters).Draw(m.t, "node")
			m.lead(model.Other, &pb.Payload{Command: &pb.Payload_ObserveNode{ObserveNode: &pb.ObserveNode{
				NodeId: id, Incarnation: id, Available: rapid.IntRange(0, 2).Draw(m.t, "available") > 0,
			}}})
		},
		"expire": func(*rapid.T) {
			m.lead(model.Expire, &pb.Payload{Command: &pb.Payload_ExpireApproval{ExpireApproval: &pb.ExpireApproval{
				Environment: env, ExpectedSequence: m.env().Sequence, DeploymentId: m.any(),
			}}})
		},
		"poll": func(*rapid.T) { m.poll() },
	}
	for name, action := range m.callers() {
		actions[name] = caller(action.event, action.make)
	}
	return actions
}

type callerAction struct {
	event model.Event
	make  func() *pb.Payload
}

func (m *machine) callers() map[string]callerAction {
	override := func() bool { return rapid.IntRange(0, 4).Draw(m.t, "override") == 0 }
	return map[string]callerAction{
		"approve": {model.Approve, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Approve{Approve: &pb.ApproveCommand{DeploymentId: m.any(), Override: override(), Reason: "r"}}}
		}},
		"reject": {model.Reject, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Reject{Reject: &pb.RejectCommand{DeploymentId: m.any(), Reason: "r"}}}
		}},
		"cancel": {model.Cancel, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Cancel{Cancel: &pb.CancelCommand{DeploymentId: m.any(), Reason: "r"}}}
		}},
		"retry": {model.Retry, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Retry{Retry: &pb.RetryCommand{DeploymentId: m.any(), Override: override(), Reason: "r"}}}
		}},
		"rollback": {model.Rollback, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Rollback{Rollback: &pb.RollbackCommand{Environment: env, Reason: "r"}}}
		}},
		"rollback to": {model.Rollback, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Rollback{Rollback: &pb.RollbackCommand{Environment: env, ToDeploymentId: m.any(), Reason: "r"}}}
		}},
		"sync": {model.Poll, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: env, LiftHold: true}}}
		}},
		"settings": {model.Settings, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Settings: settings(m.t)}}}
		}},
		"pause": {model.Other, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{Environment: env, Reason: "r"}}}
		}},
		"resume": {model.Other, func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Resume{Resume: &pb.ResumeCommand{Environment: env}}}
		}},
	}
}

// poll sees the head at a commit that is known, or at the active content again.
func (m *machine) poll() {
	finding := &pb.PollFinding{Environment: env, Commit: fmt.Sprint("c", rapid.IntRange(0, 9).Draw(m.t, "head"))}
	if active := m.env().Active; active != nil && rapid.Bool().Draw(m.t, "back") {
		finding.Digest = active.Digest
	}
	m.lead(model.Poll, &pb.Payload{Command: &pb.Payload_ObservePoll{ObservePoll: &pb.ObservePoll{
		Branch: "main", Head: finding.GetCommit(), Findings: []*pb.PollFinding{finding},
	}}})
}

// Whatever is asked, in whatever order: deployments go only the ways of the
// table, refusals change nothing, Apply is pure, and a replay, also from a
// snapshot at any point, leads to the same hash (I4, I5, I7, I11, I12).
func TestRandomCommands(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(rt)
		rt.Repeat(m.actions())
		cut := rapid.IntRange(0, len(m.log)).Draw(rt, "snapshot after")
		state := replay(rt, fsm.New(), m.log[:cut])
		var snapshot bytes.Buffer
		if err := fsm.WriteSnapshot(&snapshot, state); err != nil {
			rt.Fatal(err)
		}
		restored, err := fsm.ReadSnapshot(&snapshot)
		if err != nil {
			rt.Fatal(err)
		}
		for name, from := range map[string]*fsm.State{"a replay": state, "a snapshot": restored} {
			if replay(rt, from, m.log[cut:]).Hash() != m.state.Hash() {
				rt.Fatalf("I11: after %s the hash is another", name)
			}
		}
		if check := fsm.VerifyAudit(m.state); !check.Intact {
			rt.Fatalf("I16: the audit chain is broken at %d", check.BrokenAt)
		}
	})
}

func replay(t *rapid.T, s *fsm.State, log []fsm.Entry) *fsm.State {
	for _, e := range log {
		next, _, err := fsm.Apply(s, e)
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}
