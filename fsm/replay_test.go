package fsm_test

import (
	"bytes"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// eventful is a lab in which a little of everything happened.
func eventful(t testing.TB) *lab {
	l := newLab(t, environment("production", approvers(1)), environment("staging", plainPolicy()))
	l.approved("production", "c1")
	l.deploy("staging", "c1")
	second := l.commit("staging", "c2")
	l.bring("staging", second)
	l.ok(l.finish("staging", "b: 503"))
	l.run("staging", "")
	l.commit("production", "c3")
	l.ok(l.ask("ann", &pb.PauseCommand{All: true, Reason: "incident"}))
	l.ask("ann", &pb.RollbackCommand{Environment: "production", Reason: "there is nothing"})
	l.send(chunks("u1", "seed")[:2]...)
	l.polled("garbage_answer")
	l.ok(l.lead(&pb.RecordFault{Branch: "main", Code: "garbage_answer"}))
	l.poll("staging", "c4", "c4")
	l.ok(l.ask("ann", importOf(oldRecord("production-20231114-010000", fsm.Completed))))
	return l
}

func TestI11ReplayLeadsToTheSameState(t *testing.T) {
	l := eventful(t)
	replay := func(s *fsm.State, from int) *fsm.State {
		for _, e := range l.history[from:] {
			next, _, err := fsm.Apply(s, e)
			if err != nil {
				t.Fatal(err)
			}
			s = next
		}
		return s
	}
	if replay(fsm.New(), 0).Hash() != l.state.Hash() {
		t.Fatal("a replay has another hash")
	}
	s := fsm.New()
	for i := range l.history {
		var snapshot bytes.Buffer
		if err := fsm.WriteSnapshot(&snapshot, s); err != nil {
			t.Fatal(err)
		}
		restored, err := fsm.ReadSnapshot(&snapshot)
		if err != nil {
			t.Fatal(err)
		}
		if i%7 == 0 && replay(restored, i).Hash() != l.state.Hash() {
			t.Fatalf("after a snapshot at entry %d the hash is another", i)
		}
		if s, _, err = fsm.Apply(restored, l.history[i]); err != nil {
			t.Fatal(err)
		}
	}
	if s.Hash() != l.state.Hash() {
		t.Fatal("after a snapshot at each entry the hash is another")
	}
}

// Whatever is in an entry, the state machine does not panic, and what it cannot
// apply halts it.
func FuzzApply(f *testing.F) {
	for _, command := range everyCommand() {
		data, err := fsm.Encode(fsm.Header{Term: 2}, wrap(command))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	l := eventful(f)
	for _, e := range l.history {
		f.Add(e.Data)
	}
	state, hash := l.state, l.state.Hash()
	f.Fuzz(func(t *testing.T, data []byte) {
		e := fsm.Entry{Index: state.Index() + 1, Term: 2, Data: data}
		next, _, err := fsm.Apply(state, e)
		if rehearsed := fsm.Rehearse(state, e); (rehearsed == nil) != (err == nil) {
			t.Fatalf("rehearsed, the error is %v, not %v", rehearsed, err)
		}
		if state.Hash() != hash {
			t.Fatal("Apply changed the state that it was given")
		}
		if err == nil {
			if next.Index() != state.Index()+1 {
				t.Fatalf("the index is %d", next.Index())
			}
			return
		}
		fatal, ok := err.(*fsm.FatalError)
		if !ok || fatal.Index != state.Index()+1 || fatal.Reason == "" {
			t.Fatalf("the error is %v", err)
		}
	})
}

// Whatever is in a command whose checksum is right, the state machine does not
// halt: a poisoned entry would halt every node.
func FuzzCommand(f *testing.F) {
	for _, command := range everyCommand() {
		f.Add(payloadOf(f, command), true)
	}
	l := eventful(f)
	env := l.env("production")
	f.Add(payloadOf(f, &pb.BeginStaging{Environment: "production", ExpectedSequence: env.Sequence, DeploymentId: env.CurrentID}), false)
	f.Fuzz(func(t *testing.T, payload []byte, leader bool) {
		data, ok := sealed(payload, leader)
		if !ok {
			return
		}
		if _, _, err := fsm.Apply(l.state, fsm.Entry{Index: l.index + 1, Term: l.term, Data: data}); err != nil {
			t.Fatalf("the state machine halted: %v", err)
		}
	})
}
