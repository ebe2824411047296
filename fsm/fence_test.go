package fsm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// everyCommand is an empty command of each kind.
func everyCommand() []proto.Message {
	var all []proto.Message
	p := (&pb.Payload{}).ProtoReflect()
	for field := range fields(p) {
		all = append(all, p.NewField(field).Message().Interface())
	}
	return all
}

// callers' commands are decided by their own rules; everything else is a
// leader's decision and belongs to its term.
var callers = map[protoreflect.Name]bool{
	"SetSettings": true, "RequestPoll": true, "ApproveCommand": true, "RejectCommand": true, "CancelCommand": true,
	"RetryCommand": true, "RollbackCommand": true, "PauseCommand": true, "ResumeCommand": true, "RecordDenials": true,
	"CreateTokenCommand": true, "RevokeTokenCommand": true, "RecordActionCommand": true,
	"ImportHistory": true, "StoreBackup": true, "RestoreBackup": true,
}

func TestI10StaleTerm(t *testing.T) {
	l := newLab(t)
	l.newTerm()
	for _, command := range everyCommand() {
		name := command.ProtoReflect().Descriptor().Name()
		if callers[name] {
			continue
		}
		for _, term := range []uint64{0, l.term - 1, l.term + 1} {
			before := l.state
			l.refused(l.apply(fsm.Header{Term: term, ProposedAt: l.now}, command), fsm.ClassAborted, "stale_term")
			if before.Environment("production") != l.state.Environment("production") {
				t.Fatalf("a refused %s changed something", name)
			}
		}
	}
	l.refused(l.apply(fsm.Header{Term: l.term - 1}, &pb.SetSettings{Supporters: []string{"a"}}), fsm.ClassAborted, "stale_term")
}

func TestI10StaleSequence(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	stale := l.env("production").Sequence - 1
	for _, command := range []proto.Message{
		&pb.CreateDeployment{Environment: "production", ExpectedSequence: stale},
		&pb.BeginStaging{Environment: "production", ExpectedSequence: stale, DeploymentId: id},
		&pb.RecordStaging{Environment: "production", ExpectedSequence: stale},
		&pb.Activate{Environment: "production", ExpectedSequence: stale},
		&pb.FinishDeployment{Environment: "production", ExpectedSequence: stale},
		&pb.ExpireApproval{Environment: "production", ExpectedSequence: stale, DeploymentId: id},
	} {
		l.refused(l.lead(command), fsm.ClassAborted, "stale_sequence")
	}
}

func TestI10OperationThatIsOver(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	sequence := l.env("production").Sequence
	for _, command := range []proto.Message{
		&pb.RecordStaging{Environment: "production", ExpectedSequence: sequence, Operation: 7},
		&pb.Activate{Environment: "production", ExpectedSequence: sequence, Operation: 7},
		&pb.FinishDeployment{Environment: "production", ExpectedSequence: sequence, Operation: 7},
	} {
		l.refused(l.lead(command), fsm.ClassAborted, "stale_operation")
	}
}

// An entry that cannot be applied is never skipped: the node halts and says which.
func TestDamagedEntriesHalt(t *testing.T) {
	l := newLab(t)
	good, err := fsm.Encode(fsm.Header{Term: 1}, wrap(&pb.ExpirePause{}))
	if err != nil {
		t.Fatal(err)
	}
	altered := func(f func(*pb.Envelope)) []byte {
		e := &pb.Envelope{}
		if err := proto.Unmarshal(good, e); err != nil {
			t.Fatal(err)
		}
		f(e)
		data, err := proto.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	unknown := &pb.Payload{}
	unknown.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 0x00}) // field 1023: of a later build
	unknownEntry, err := fsm.Encode(fsm.Header{Term: 1}, unknown)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data   []byte
		reason string
	}{
		"no command":      {[]byte("hello"), "not a command"},
		"flipped bit":     {altered(func(e *pb.Envelope) { e.Payload = append(e.Payload, 0) }), "checksum"},
		"no checksum":     {altered(func(e *pb.Envelope) { e.Checksum = nil }), "checksum"},
		"no format":       {altered(func(e *pb.Envelope) { e.Format = 0 }), "format"},
		"later format":    {altered(func(e *pb.Envelope) { e.Format = fsm.FormatVersion + 1 }), "upgrade"},
		"not in force":    {altered(func(e *pb.Envelope) { e.Format = fsm.FirstFormat + 1 }), "format"},
		"unknown command": {unknownEntry, "upgrade"},
		"nothing in it":   {nil, "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			e := fsm.Entry{Index: 77, Term: 1, Data: test.data}
			_, _, err := fsm.Apply(l.state, e)
			if rehearsed := fsm.Rehearse(l.state, e); fmt.Sprint(rehearsed) != fmt.Sprint(err) {
				t.Errorf("rehearsed, the error is %v, not %v", rehearsed, err)
			}
			var fatal *fsm.FatalError
			if !errors.As(err, &fatal) || fatal.Index != 77 {
				t.Fatalf("the error is %v", err)
			}
			if !strings.Contains(err.Error(), "77") || !strings.Contains(err.Error(), test.reason) {
				t.Fatalf("it does not name index and reason: %v", err)
			}
		})
	}
	var fatal *fsm.FatalError
	if _, _, err := fsm.Apply(l.state, fsm.Entry{Index: l.index, Term: 1, Data: good}); !errors.As(err, &fatal) {
		t.Fatalf("an entry was applied twice: %v", err)
	}
	ignorable := &pb.Envelope{}
	if err := proto.Unmarshal(unknownEntry, ignorable); err != nil {
		t.Fatal(err)
	}
	ignorable.Ignorable = true
	data, err := proto.Marshal(ignorable)
	if err != nil {
		t.Fatal(err)
	}
	l.ok(l.entry(data))
}

func payloadOf(t testing.TB, command proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(wrap(command))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sealed makes an entry of a payload, if it is one that this build knows.
func sealed(payload []byte, leader bool) ([]byte, bool) {
	p := &pb.Payload{}
	if proto.Unmarshal(payload, p) != nil || p.GetCommand() == nil {
		return nil, false
	}
	h := fsm.Header{Proposer: "a", ProposedAt: start}
	if leader {
		h.Term = 1
	} else {
		h.RequestID, h.IssuedAt, h.Caller = "fuzzed", start+1, &pb.Caller{Identity: "eve"}
	}
	data, err := fsm.Encode(h, p)
	return data, err == nil
}
