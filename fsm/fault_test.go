package fsm_test

import (
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// faults counts the audit records of faults, by action and environment.
func (l *lab) faults() map[string]int {
	found := map[string]int{}
	for r := range l.state.Audit(0) {
		if len(r.Action) > 6 && r.Action[:6] == "fault." {
			found[r.Action+"@"+r.Environment]++
		}
	}
	return found
}

func (l *lab) countsFaults(want map[string]int) {
	l.t.Helper()
	got := l.faults()
	for key, n := range want {
		if got[key] != n {
			l.t.Fatalf("on record are %v, want %v", got, want)
		}
	}
	if len(got) != len(want) {
		l.t.Fatalf("on record are %v, want %v", got, want)
	}
}

func (l *lab) polled(code string) {
	l.t.Helper()
	l.ok(l.lead(&pb.ObservePoll{Branch: "main", Head: "c1", ErrorCode: code, Error: code}))
}

// I16: one fault has one audit record for as long as it lasts and an hour longer; another one has another.
func TestI16FaultHasOneRecord(t *testing.T) {
	l := newLab(t)
	fault := func(code string) *pb.RecordFault {
		return &pb.RecordFault{Environment: "production", Code: code, Detail: "what was met"}
	}
	unrecorded := func() string { return l.state.Environment("production").UnrecordedFault() }
	l.refused(l.lead(fault("")), fsm.ClassInvalid, "bad_fault")
	l.polled("garbage_answer")
	if unrecorded() != "garbage_answer" {
		t.Fatalf("not on record is %q", unrecorded())
	}
	l.ok(l.lead(fault("garbage_answer")))
	for range 3 {
		l.advance(hour)
		l.polled("garbage_answer")
		if unrecorded() != "" {
			t.Fatal("a fault that lasts is asked to be recorded again")
		}
	}
	l.refused(l.lead(fault("garbage_answer")), fsm.ClassExists, "recorded")
	l.polled("fetch_timeout")
	l.ok(l.lead(fault("fetch_timeout")))
	l.countsFaults(map[string]int{"fault.garbage_answer@production": 1, "fault.fetch_timeout@production": 1})

	l.polled("") // it recovers, and fails again within the hour: no news
	l.advance(hour / 2)
	l.polled("garbage_answer")
	if unrecorded() != "garbage_answer" {
		t.Fatal("a fault that came back is taken for one that lasts")
	}
	l.ok(l.lead(fault("garbage_answer")))
	l.countsFaults(map[string]int{"fault.garbage_answer@production": 1, "fault.fetch_timeout@production": 1})
	l.polled("")
	l.advance(hour + second)
	l.polled("garbage_answer")
	l.ok(l.lead(fault("garbage_answer")))
	l.countsFaults(map[string]int{"fault.garbage_answer@production": 2, "fault.fetch_timeout@production": 1})
	if n := len(l.state.Environment("production").Faults); n != 1 {
		t.Errorf("%d faults are remembered", n)
	}
}

// A fault of a branch is one record, whatever the number of its environments; it leaves other branches alone.
func TestI16FaultOfABranch(t *testing.T) {
	other := environment("lab", plainPolicy())
	other.Branch = "lab"
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()), other)
	l.polled("authentication_failed")
	l.ok(l.lead(&pb.RecordFault{Branch: "main", Code: "authentication_failed", Detail: "401"}))
	l.countsFaults(map[string]int{"fault.authentication_failed@": 1})
	for name, want := range map[string]int{"production": 1, "staging": 1, "lab": 0} {
		if env := l.state.Environment(name); len(env.Faults) != want || env.UnrecordedFault() != "" {
			t.Errorf("%s: %+v", name, env.Faults)
		}
	}
	l.refused(l.lead(&pb.RecordFault{Branch: "main", Code: "authentication_failed"}), fsm.ClassExists, "recorded")
	l.refused(l.lead(&pb.RecordFault{Branch: "nowhere", Code: "x"}), fsm.ClassNotFound, "unknown_branch")
	l.refused(l.lead(&pb.RecordFault{Environment: "nowhere", Code: "x"}), fsm.ClassNotFound, "unknown_environment")
}

// However many faults there are, what is remembered of them is bounded.
func TestFaultsAreBounded(t *testing.T) {
	l := newLab(t)
	for i := range 100 {
		code := string(rune('a'+i%26)) + string(rune('a'+i/26))
		l.polled(code)
		l.ok(l.lead(&pb.RecordFault{Environment: "production", Code: code}))
	}
	if n := len(l.state.Environment("production").Faults); n != 32 {
		t.Errorf("%d faults are remembered", n)
	}
}
