package fsm_test

import (
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func (l *lab) env(name string) *fsm.Environment {
	l.t.Helper()
	env := l.state.Environment(name)
	if env == nil {
		l.t.Fatalf("there is no environment %q", name)
	}
	return env
}

func (l *lab) deployment(id string) *fsm.Deployment {
	l.t.Helper()
	d := l.state.Deployment(id)
	if d == nil {
		l.t.Fatalf("there is no deployment %q", id)
	}
	return d
}

// is fails the test unless a deployment is in a state.
func (l *lab) is(id string, want fsm.DeploymentState) *fsm.Deployment {
	l.t.Helper()
	d := l.deployment(id)
	if d.State != want {
		l.t.Fatalf("deployment %s is %s (%s), want %s", id, d.State, d.Error, want)
	}
	return d
}

// serves fails the test unless an environment is to serve a deployment.
func (l *lab) serves(env, id string) {
	l.t.Helper()
	active := l.env(env).Active
	if active == nil || active.DeploymentID != id || active.Digest != l.deployment(id).Digest {
		l.t.Fatalf("environment %s serves %+v, want deployment %s", env, active, id)
	}
}

// content is the bundle that stands for a text.
func content(text string) (compressed []byte, size int64, digest string) {
	encoded, err := bundle.Encode([]bundle.File{{Path: "environments/e/metadata.json", Content: []byte(text)}})
	if err != nil {
		panic(err)
	}
	return bundle.Compress(encoded), int64(len(encoded)), bundle.Digest(encoded)
}

func digestOf(text string) string {
	_, _, digest := content(text)
	return digest
}

// upload puts the content of a text into the state.
func (l *lab) upload(text string) string {
	l.t.Helper()
	data, size, digest := content(text)
	l.ok(l.lead(&pb.UploadChunk{UploadId: "upload-" + digest[:8], Digest: digest, Total: 1, RawSize: size, Data: data}))
	return digest
}

func stem(env string, now int64) string {
	return env + "-" + time.UnixMilli(now).UTC().Format("20060102-150405")
}

// creation is the command that records a commit whose content is a text.
func (l *lab) creation(env, commit, text string) *pb.CreateDeployment {
	l.t.Helper()
	return &pb.CreateDeployment{
		Environment: env, ExpectedSequence: l.env(env).Sequence, IdStem: stem(env, l.now),
		Commit: commit, Digest: digestOf(text), Branch: "main", Risk: pb.RiskValue_RISK_VALUE_LOW,
	}
}

// commit uploads and records a commit whose content is its name.
func (l *lab) commit(env, commit string, alter ...func(*pb.CreateDeployment)) string {
	l.t.Helper()
	l.upload(commit)
	m := l.creation(env, commit, commit)
	for _, f := range alter {
		f(m)
	}
	return l.ok(l.lead(m)).DeploymentID
}

// begin starts staging on the available ones of the voters a, b and c.
func (l *lab) begin(env, id string) fsm.Result {
	l.t.Helper()
	return l.beginWith(env, id, "a", "b", "c")
}

func (l *lab) beginWith(env, id string, voters ...string) fsm.Result {
	l.t.Helper()
	m := &pb.BeginStaging{Environment: env, ExpectedSequence: l.env(env).Sequence, DeploymentId: id, Voters: voters}
	for _, voter := range voters {
		if n := l.state.Node(voter); n != nil && n.Available {
			m.Participants = append(m.Participants, &pb.ParticipantValue{NodeId: voter, Incarnation: n.Incarnation})
		}
	}
	return l.lead(m)
}

// answers are yes for "a", and no, with problems, for "a: problem".
func (l *lab) answers(words []string) []*pb.AnswerValue {
	var out []*pb.AnswerValue
	for _, word := range words {
		node, problem, rejected := strings.Cut(word, ": ")
		answer := &pb.AnswerValue{NodeId: node, Incarnation: l.state.Node(node).Incarnation, Accepted: !rejected}
		if rejected {
			answer.Problems = []string{problem}
		}
		out = append(out, answer)
	}
	return out
}

func (l *lab) operation(env string) uint64 {
	l.t.Helper()
	op := l.env(env).Operation
	if op == nil {
		l.t.Fatalf("nothing is being applied to %s", env)
	}
	return op.ID
}

func (l *lab) stage(env string, words ...string) fsm.Result {
	l.t.Helper()
	return l.lead(&pb.RecordStaging{
		Environment: env, ExpectedSequence: l.env(env).Sequence, Operation: l.operation(env), Answers: l.answers(words),
	})
}

// stageLate is stage after the deadline.
func (l *lab) stageLate(env string, words ...string) fsm.Result {
	l.t.Helper()
	l.advance(minute)
	return l.lead(&pb.RecordStaging{
		Environment: env, ExpectedSequence: l.env(env).Sequence, Operation: l.operation(env),
		Answers: l.answers(words), Deadline: true,
	})
}

func (l *lab) activate(env string) fsm.Result {
	l.t.Helper()
	return l.activateWith(env, "a", "b", "c")
}

func (l *lab) activateWith(env string, voters ...string) fsm.Result {
	l.t.Helper()
	return l.lead(&pb.Activate{
		Environment: env, ExpectedSequence: l.env(env).Sequence, Operation: l.operation(env), Voters: voters,
	})
}

func (l *lab) finish(env string, words ...string) fsm.Result {
	l.t.Helper()
	return l.lead(&pb.FinishDeployment{
		Environment: env, ExpectedSequence: l.env(env).Sequence, Operation: l.operation(env), Answers: l.answers(words),
	})
}

func (l *lab) finishLate(env string, words ...string) fsm.Result {
	l.t.Helper()
	l.advance(minute)
	return l.lead(&pb.FinishDeployment{
		Environment: env, ExpectedSequence: l.env(env).Sequence, Operation: l.operation(env),
		Answers: l.answers(words), Deadline: true,
	})
}

// bring takes an operation, or a pending deployment, to Verifying.
func (l *lab) bring(env, id string) {
	l.t.Helper()
	l.ok(l.begin(env, id))
	l.ok(l.stage(env, "a", "b", "c"))
	l.ok(l.activate(env))
}

// run takes an operation, or a pending deployment, to its good end.
func (l *lab) run(env, id string) {
	l.t.Helper()
	l.bring(env, id)
	l.ok(l.finish(env, "a", "b", "c"))
}

// deploy records a commit and takes it to Completed; the clock moves a minute.
func (l *lab) deploy(env, commit string, alter ...func(*pb.CreateDeployment)) string {
	l.t.Helper()
	id := l.commit(env, commit, alter...)
	l.run(env, id)
	l.is(id, fsm.Completed)
	l.advance(minute)
	return id
}

// observe records a node's availability.
func (l *lab) observe(node string, available bool) {
	l.t.Helper()
	l.ok(l.lead(&pb.ObserveNode{NodeId: node, Incarnation: l.state.Node(node).Incarnation, Available: available}))
}

// poll records a head of main that means a content for one environment.
func (l *lab) poll(env, commit, text string) {
	l.t.Helper()
	l.ok(l.lead(&pb.ObservePoll{
		Branch: "main", Head: commit, NextPollMs: l.now + 30*second,
		Findings: []*pb.PollFinding{{Environment: env, Commit: commit, Digest: digestOf(text)}},
	}))
}
