package check

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// at is a call from one second to another.
func at(from, to int, c history.Call) history.Call {
	c.Environment, c.Called, c.Returned = "production", time.Duration(from)*time.Second, time.Duration(to)*time.Second
	if c.Outcome == "" {
		c.Outcome = history.OK
	}
	return c
}

func sees(pause string, sequence uint64) history.Call {
	return history.Call{Kind: history.ReadEnvironment, Seen: &history.Seen{Pause: pause, Sequence: sequence}}
}

func approvedBy(rounds, steps int, names ...string) history.Call {
	return history.Call{Kind: history.ReadDeployment, Seen: &history.Seen{Rounds: rounds, Steps: steps, Approvals: names}}
}

func everything(history.Call) bool { return true }

// sometime is an execution that no answer shows.
func sometime(string) (uint64, bool) { return math.MaxUint64, true }

// I8: the model of an environment accepts what may be seen, and nothing else.
func TestEnvironmentModel(t *testing.T) {
	pause := history.Call{Kind: history.Pause, Reason: "a", RequestID: "1"}
	unknown := history.Call{Kind: history.Pause, Reason: "a", RequestID: "1", Outcome: history.Unknown}
	resume := history.Call{Kind: history.Resume, RequestID: "2"}
	tests := []struct {
		name  string
		calls []history.Call
		ok    bool
	}{
		{"in order", []history.Call{at(1, 2, pause), at(3, 4, sees("a", 1)), at(5, 6, resume), at(7, 8, sees("", 2))}, true},
		{"at the same time", []history.Call{at(1, 9, pause), at(2, 3, sees("", 1)), at(4, 5, sees("a", 1))}, true},
		{"seen and unseen", []history.Call{at(1, 9, pause), at(2, 3, sees("a", 1)), at(4, 5, sees("", 1))}, false},
		{"acknowledged and unseen", []history.Call{at(1, 2, pause), at(3, 4, sees("", 1))}, false},
		{"unknown and executed later", []history.Call{at(1, 2, unknown), at(3, 4, sees("", 1)), at(5, 6, sees("a", 1))}, true},
		{"unknown and never executed", []history.Call{at(1, 2, unknown), at(3, 4, sees("", 1))}, true},
		{"repeated", []history.Call{at(1, 2, pause), at(3, 4, resume), at(5, 6, pause), at(7, 8, sees("", 1))}, true},
		{"a stale sequence", []history.Call{at(1, 2, sees("", 5)), at(3, 4, sees("", 4))}, false},
		{"refused", []history.Call{at(1, 2, history.Call{Kind: history.Pause, Reason: "a", RequestID: "1", Outcome: history.Refused}), at(3, 4, sees("", 1))}, true},
	}
	for _, test := range tests {
		result := porcupine.CheckOperations(environmentModel(), operations(test.calls, sometime, everything))
		if result != test.ok {
			t.Errorf("%s: %v", test.name, result)
		}
	}
}

// I5, I8: so does the model of a deployment.
func TestDeploymentModel(t *testing.T) {
	approve := func(who string) history.Call { return history.Call{Kind: history.Approve, Actor: who, RequestID: who} }
	tests := []struct {
		name  string
		calls []history.Call
		ok    bool
	}{
		{"two approve", []history.Call{
			at(1, 2, approve("alice")), at(3, 4, approvedBy(1, 2, "alice")), at(5, 6, approve("bob")), at(7, 8, approvedBy(1, 4, "alice", "bob")),
		}, true},
		{"nobody approved", []history.Call{at(1, 2, approvedBy(1, 2)), at(3, 4, approvedBy(1, 2, "alice"))}, false},
		{"an approval is lost", []history.Call{at(1, 2, approvedBy(1, 2)), at(3, 4, approve("alice")), at(5, 6, approvedBy(1, 2))}, false},
		{"asked again", []history.Call{at(1, 2, approve("alice")), at(3, 4, approvedBy(1, 3, "alice")), at(5, 6, approvedBy(2, 5))}, true},
		{"asked again and kept", []history.Call{at(1, 2, approve("alice")), at(3, 4, approvedBy(1, 3, "alice")), at(5, 6, approvedBy(2, 5, "alice"))}, false},
		{"asked again and approved", []history.Call{
			at(1, 2, approvedBy(1, 2)), at(3, 8, approve("alice")), at(9, 10, approvedBy(2, 5, "alice")),
		}, true},
		{"a stale read", []history.Call{at(1, 2, approvedBy(1, 3)), at(3, 4, approvedBy(1, 2))}, false},
	}
	for _, test := range tests {
		result := porcupine.CheckOperations(deploymentModel(), operations(test.calls, sometime, everything))
		if result != test.ok {
			t.Errorf("%s: %v", test.name, result)
		}
	}
}

// What is unknown has not returned: if it was executed, it may have been so at any time until an answer shows it.
func TestUnknownCallsHaveNotReturned(t *testing.T) {
	unknown := func(id string) history.Call {
		return at(1, 2, history.Call{Kind: history.Pause, RequestID: id, Outcome: history.Unknown})
	}
	read := sees("", 1)
	read.AppliedIndex = 12
	executed := func(id string) (uint64, bool) {
		index, ok := map[string]uint64{"shown": 10, "not shown": 13}[id]
		return index, ok
	}
	all := operations([]history.Call{
		unknown("shown"), unknown("not shown"), unknown("never executed"),
		at(1, 2, history.Call{Kind: history.Pause, RequestID: "4", Outcome: history.NotExecuted}), at(5, 7, read), at(6, 9, read),
	}, executed, everything)
	var returns []int64
	for _, o := range all {
		returns = append(returns, o.Return)
	}
	if want := []int64{7e9, 7e9, 9e9, math.MaxInt64}; !slices.Equal(returns, want) {
		t.Errorf("they return at %v, not at %v", returns, want)
	}
}

// Of reads that show the same, one that was under way only while another was says all that the other does.
func TestImpliedReadsAreLeftOut(t *testing.T) {
	calls := []history.Call{
		at(1, 9, sees("a", 1)), at(3, 9, sees("a", 1)), at(3, 9, sees("a", 1)), at(4, 8, sees("a", 1)), at(5, 10, sees("a", 1)),
		at(2, 9, sees("a", 2)), at(2, 3, sees("a", 1)), at(1, 9, history.Call{Kind: history.Pause, RequestID: "1"}),
	}
	var left []string
	for _, o := range operations(calls, sometime, everything) {
		c := o.Input.(history.Call)
		text := fmt.Sprintf("%s %d-%d", c.Kind, o.Call/1e9, o.Return/1e9)
		if c.Read() {
			text += fmt.Sprintf(" sequence %d", c.Seen.Sequence)
		}
		left = append(left, text)
	}
	want := []string{"read environment 2-3 sequence 1", "read environment 4-8 sequence 1", "read environment 2-9 sequence 2", "pause 1-9", "read environment 5-10 sequence 1"}
	if !slices.Equal(left, want) {
		t.Errorf("left are %q, not %q", left, want)
	}
}

// Dozens of reads that waited for the same leader are no reason for a search without an end.
func TestManyReadsAtOnce(t *testing.T) {
	pause := history.Call{Kind: history.Pause, Reason: "a", RequestID: "1"}
	calls := []history.Call{at(1, 60, pause), at(30, 59, sees("", 9))}
	for i := range 50 {
		calls = append(calls, at(1+i, 70+i%7, sees("a", 10)))
	}
	if result := porcupine.CheckOperationsTimeout(environmentModel(), operations(calls, sometime, everything), searchWithin); result != porcupine.Ok {
		t.Errorf("%v", result)
	}
}

func TestAnImpossibleHistoryIsDrawn(t *testing.T) {
	v, e := &Verdict{}, &Evidence{Dir: t.TempDir()}
	calls := []history.Call{at(1, 2, sees("", 5)), at(3, 4, sees("", 4))}
	v.order(e, "environment production", environmentModel(), operations(calls, sometime, everything))
	if len(v.Findings) != 1 || v.Findings[0].Promise != "I8" || len(v.Pictures) != 1 || !strings.HasPrefix(v.Pictures[0], e.Dir) {
		t.Errorf("%+v", v)
	}
}

// I8, I9 by index: an answer that is older than one that was there before the question.
func TestSessions(t *testing.T) {
	read := func(index uint64) history.Call {
		return history.Call{Kind: history.ReadEnvironment, AppliedIndex: index, Seen: &history.Seen{}}
	}
	write := history.Call{Kind: history.Pause, AppliedIndex: 10}
	for name, test := range map[string]struct {
		calls []history.Call
		ok    bool
	}{
		"newer":            {[]history.Call{at(1, 2, write), at(3, 4, read(10)), at(5, 6, read(11))}, true},
		"older":            {[]history.Call{at(1, 2, write), at(3, 4, read(9))}, false},
		"at the same time": {[]history.Call{at(1, 4, write), at(3, 5, read(9))}, true},
	} {
		v := &Verdict{}
		sessions(v, &Evidence{Calls: test.calls})
		if (len(v.Findings) == 0) != test.ok {
			t.Errorf("%s: %v", name, v.Findings)
		}
	}
}

func TestRates(t *testing.T) {
	e := &Evidence{Nodes: []*Node{{ID: "node1"}}, Round: history.Round{Faults: 10 * time.Second}}
	for i := range 30 {
		kind := []history.Kind{history.Commit, history.Pause, history.ReadEnvironment}[i%3]
		e.Calls = append(e.Calls, at(i, i, history.Call{Kind: kind}))
	}
	e.Polls = []history.Poll{{Node: "node1", Count: 100}}
	v := &Verdict{}
	if rates(v, e); len(v.Findings) > 0 {
		t.Errorf("%v", v.Findings)
	}
	e.Calls, e.Polls = e.Calls[:4], nil
	if rates(v, e); len(v.Findings) != 2 {
		t.Errorf("%v", v.Findings)
	}
	if !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Promise == "rate" }) {
		t.Errorf("%v", v.Findings)
	}
}
