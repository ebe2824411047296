package fsm_test

import (
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestI3RequestIsExecutedOnce(t *testing.T) {
	l := newLab(t)
	pause := &pb.PauseCommand{Environment: "production", Reason: "incident"}
	first := l.ok(l.request("ann", "r1", pause))
	sequence := l.env("production").Sequence
	l.newTerm()
	again := l.ok(l.request("ann", "r1", pause))
	if !again.Replayed || again.Index != first.Index || again.Sequence != first.Sequence || l.env("production").Sequence != sequence {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	l.refused(l.request("bea", "r1", pause), fsm.ClassInvalid, "request_id_reused")
	l.refused(l.request("ann", "r1", &pb.PauseCommand{Environment: "production", Reason: "other"}), fsm.ClassInvalid, "request_id_reused")
	l.refused(l.request("ann", strings.Repeat("x", 129), pause), fsm.ClassInvalid, "bad_request_id")
}

func TestI3RefusalIsRememberedToo(t *testing.T) {
	l := newLab(t)
	rollback := &pb.RollbackCommand{Environment: "production", Reason: "r"}
	l.refused(l.request("ann", "r1", rollback), fsm.ClassPrecondition, "nothing_active")
	l.deploy("production", "c1")
	l.deploy("production", "c2")
	again := l.request("ann", "r1", rollback)
	l.refused(again, fsm.ClassPrecondition, "nothing_active")
	if !again.Replayed {
		t.Fatal("it was decided again")
	}
}

func TestI3WhatMayBeForgottenIsRefused(t *testing.T) {
	l := newLab(t)
	issued := func(at int64, id string) fsm.Result {
		return l.apply(fsm.Header{RequestID: id, IssuedAt: at, ProposedAt: l.now, Caller: &pb.Caller{Identity: "ann"}},
			&pb.ResumeCommand{Environment: "production"})
	}
	l.refused(issued(l.now-24*hour-1, "r1"), fsm.ClassInvalid, "request_too_old")
	l.refused(issued(l.now+hour+1, "r2"), fsm.ClassInvalid, "request_from_future")
	l.refused(issued(0, "r3"), fsm.ClassInvalid, "request_too_old")
	l.ok(issued(l.now-24*hour, "r4"))
	l.ok(issued(l.now+hour, "r5"))
	at := l.now
	l.ok(issued(at, "r6"))
	l.advance(24*hour + 1)
	l.ok(issued(l.now, "r7"))
	l.ok(issued(l.now, "r8"))
	if _, _, remembered := l.state.Counts(); remembered > 3 {
		t.Fatalf("%d requests are remembered after their time", remembered)
	}
	l.refused(issued(at, "r6"), fsm.ClassInvalid, "request_too_old") // forgotten, and never executed twice
}

// What may have been executed and forgotten, and what is executed if it comes again when its time has come, is refused
// without an answer: nobody may be told that it is not executed.
func TestI3RefusalsThatAnswerNothing(t *testing.T) {
	l := newLab(t)
	at := l.now + hour + 1
	early := func() fsm.Result {
		return l.apply(fsm.Header{RequestID: "r1", IssuedAt: at, ProposedAt: l.now, Caller: &pb.Caller{Identity: "ann"}},
			&pb.ResumeCommand{Environment: "production"})
	}
	if r := early(); r.Refusal == nil || r.Refusal.Answers() {
		t.Errorf("before its time: %+v", r)
	}
	l.advance(1)
	l.ok(early())
	l.advance(26 * hour)
	l.ok(l.request("ann", "r2", &pb.ResumeCommand{Environment: "production"}))
	if r := early(); r.Refusal == nil || r.Refusal.Answers() {
		t.Errorf("forgotten: %+v", r)
	}
	if r := l.request("ann", "r3", &pb.RollbackCommand{Environment: "production", Reason: "r"}); r.Refusal == nil || !r.Refusal.Answers() {
		t.Errorf("refused for good: %+v", r)
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	l := newLab(t)
	l.advance(hour)
	l.ok(l.ask("ann", &pb.ResumeCommand{Environment: "production"}))
	now := l.state.Now()
	l.advance(-hour)
	l.ok(l.ask("ann", &pb.ResumeCommand{Environment: "production"}))
	if l.state.Now() != now {
		t.Fatalf("the clock went from %d to %d", now, l.state.Now())
	}
}
