package fsm_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// lab is a log that one test writes, and the state that it leads to. Its clock
// moves only when the test says so.
type lab struct {
	t     testing.TB
	state *fsm.State
	index uint64
	term  uint64
	now   int64
	// calls numbers the callers' request ids.
	calls int
	// history holds every entry, for replays.
	history []fsm.Entry
}

// start is when every lab begins, Unix milliseconds.
const start = 1_700_000_000_000

const second, minute, hour = int64(1000), int64(60_000), int64(3_600_000)

// empty is a lab without a cluster.
func empty(t testing.TB) *lab {
	t.Helper()
	return &lab{t: t, state: fsm.New(), term: 1, now: start}
}

// newLab is a cluster of the voters a, b and c with the given environments; an
// environment "production" on branch main, if none is given.
func newLab(t testing.TB, environments ...*pb.EnvironmentValue) *lab {
	t.Helper()
	l := empty(t)
	if len(environments) == 0 {
		environments = []*pb.EnvironmentValue{environment("production", plainPolicy())}
	}
	l.ok(l.lead(&pb.InitCluster{ClusterId: "id", ClusterName: "lab", Settings: settings(environments...), SettingsDigest: "file-1"}))
	for _, id := range []string{"a", "b", "c"} {
		l.ok(l.lead(&pb.RegisterNode{NodeId: id, Incarnation: id + "1", Voter: true}))
	}
	return l
}

func settings(environments ...*pb.EnvironmentValue) *pb.SettingsValue {
	return &pb.SettingsValue{RepositoryUrl: "file:///config", PollIntervalMs: 30_000, Environments: environments}
}

func environment(name string, policy *pb.PolicyValue) *pb.EnvironmentValue {
	return &pb.EnvironmentValue{Name: name, Branch: "main", Policy: policy}
}

// plainPolicy asks for nothing and rolls back by itself.
func plainPolicy() *pb.PolicyValue {
	return &pb.PolicyValue{AutoRollback: true, Canonical: []byte("plain")}
}

// approvers is a policy that asks for a number of approvers.
func approvers(n uint32) *pb.PolicyValue {
	return &pb.PolicyValue{
		RequiresApproval: true, MinimumApprovers: n, ForbidAuthorApproval: true, AutoRollback: true,
		ApprovalTimeoutMs: 24 * hour, Canonical: fmt.Appendf(nil, "approvers=%d", n),
	}
}

// wrap puts a command into the payload's field of its type.
func wrap(command proto.Message) *pb.Payload {
	payload := &pb.Payload{}
	m := payload.ProtoReflect()
	for field := range fields(m) {
		if field.Message().FullName() == command.ProtoReflect().Descriptor().FullName() {
			m.Set(field, protoreflect.ValueOfMessage(command.ProtoReflect()))
			return payload
		}
	}
	panic("not a command: " + string(command.ProtoReflect().Descriptor().FullName()))
}

// fields yields the fields of every kind of command.
func fields(m protoreflect.Message) func(func(protoreflect.FieldDescriptor) bool) {
	all := m.Descriptor().Oneofs().ByName("command").Fields()
	return func(yield func(protoreflect.FieldDescriptor) bool) {
		for i := range all.Len() {
			if !yield(all.Get(i)) {
				return
			}
		}
	}
}

// lead applies a command of the leader half.
func (l *lab) lead(command proto.Message) fsm.Result {
	l.t.Helper()
	return l.apply(fsm.Header{Proposer: "a", Term: l.term, ProposedAt: l.now}, command)
}

// ask applies a command of a caller, with a request id of its own.
func (l *lab) ask(who string, command proto.Message) fsm.Result {
	l.t.Helper()
	l.calls++
	return l.request(who, fmt.Sprintf("request-%d", l.calls), command)
}

// request applies a command of a caller with a given request id, issued now.
func (l *lab) request(who, id string, command proto.Message) fsm.Result {
	l.t.Helper()
	return l.apply(fsm.Header{
		RequestID: id, IssuedAt: l.now, Proposer: "a", ProposedAt: l.now,
		Caller: &pb.Caller{Identity: who, Authentication: "token", Source: "192.0.2.7"},
	}, command)
}

func (l *lab) apply(h fsm.Header, command proto.Message) fsm.Result {
	l.t.Helper()
	data, err := fsm.Encode(h, wrap(command))
	if err != nil {
		l.t.Fatal(err)
	}
	return l.entry(data)
}

// entry applies raw data and checks what must hold after every entry.
func (l *lab) entry(data []byte) fsm.Result {
	l.t.Helper()
	l.index++
	e := fsm.Entry{Index: l.index, Term: l.term, Data: data}
	before, hash := l.state, l.state.Hash()
	if err := fsm.Rehearse(before, e); err != nil {
		l.t.Fatalf("the leader would refuse it: %v", err)
	}
	next, result, err := fsm.Apply(before, e)
	if err != nil {
		l.t.Fatalf("the state machine halted: %v", err)
	}
	if before.Hash() != hash {
		l.t.Fatal("Apply changed the state that it was given")
	}
	l.history = append(l.history, e)
	l.state = next
	l.check(before)
	return result
}

// check compares a state with the one before: what holds after every entry.
func (l *lab) check(before *fsm.State) {
	l.t.Helper()
	for env := range l.state.Environments() {
		was := before.Environment(env.Name)
		if was == nil || was == env {
			continue
		}
		if env.LastActivation < was.LastActivation || env.Sequence < was.Sequence {
			l.t.Fatalf("I4: environment %s went back from activation %d, sequence %d to %d, %d",
				env.Name, was.LastActivation, was.Sequence, env.LastActivation, env.Sequence)
		}
		for d := range l.state.Deployments(env.Name) {
			if known := before.Deployment(d.ID); known != d {
				l.checkHistory(known, d)
			}
		}
	}
}

// ways is the table of the states as operators know it. What completed once
// becomes Completed again by a rollback to it, wherever it went since; what the
// branch asks for again begins again.
var ways = map[fsm.DeploymentState][]fsm.DeploymentState{
	fsm.StateNone:        {fsm.Pending, fsm.Failed},
	fsm.Pending:          {fsm.AwaitingApproval, fsm.Applying, fsm.Superseded, fsm.Failed},
	fsm.AwaitingApproval: {fsm.Pending, fsm.Superseded, fsm.Failed},
	fsm.Applying:         {fsm.Completed, fsm.Failed, fsm.RolledBack, fsm.Pending},
	fsm.Completed:        {fsm.RolledBack, fsm.Pending},
	fsm.Failed:           {fsm.Pending, fsm.RolledBack, fsm.Completed},
	fsm.RolledBack:       {fsm.Pending, fsm.Completed},
	fsm.Superseded:       {fsm.Completed, fsm.Pending, fsm.RolledBack},
}

func (l *lab) checkHistory(before, after *fsm.Deployment) {
	l.t.Helper()
	lines := after.History
	if before != nil {
		lines = lines[min(len(before.History), len(lines)):]
	}
	for _, line := range lines {
		if after.Imported {
			break
		}
		if line.From != line.To && !slices.Contains(ways[line.From], line.To) {
			l.t.Fatalf("deployment %s went from %s to %s", after.ID, line.From, line.To)
		}
	}
	if last := after.History[len(after.History)-1]; last.To != after.State {
		l.t.Fatalf("deployment %s is %s, its history ends with %s", after.ID, after.State, last.To)
	}
}

// ok fails the test if a command was refused.
func (l *lab) ok(r fsm.Result) fsm.Result {
	l.t.Helper()
	if err := r.Err(); err != nil {
		l.t.Fatalf("refused: %v (%s)", err, r.Refusal.Reason)
	}
	return r
}

// refused fails the test unless a command was refused for a reason.
func (l *lab) refused(r fsm.Result, class fsm.Class, reason string) {
	l.t.Helper()
	if r.Refusal == nil {
		l.t.Fatalf("it was done; want the refusal %s", reason)
	}
	if r.Refusal.Class != class || r.Refusal.Reason != reason {
		l.t.Fatalf("refused as %s %s (%s), want %s %s", r.Refusal.Class, r.Refusal.Reason, r.Refusal.Message, class, reason)
	}
	if r.Refusal.Message == "" {
		l.t.Fatal("the refusal says nothing to a person")
	}
}

// advance moves the clock, milliseconds.
func (l *lab) advance(ms int64) { l.now += ms }

// newTerm elects another leader.
func (l *lab) newTerm() { l.term++ }
