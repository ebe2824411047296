package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// Finding is a promise that did not hold.
type Finding struct {
	Promise string `json:"promise"`
	Text    string `json:"text"`
}

func (f Finding) String() string { return f.Promise + ": " + f.Text }

// Verdict is what the checks found.
type Verdict struct {
	Findings []Finding `json:"findings"`
	// Acked, Refused, NotExecuted and Unknown count changes that clients asked for, Reads what they read.
	Acked, Refused, NotExecuted, Unknown, Reads int
	// Lost were acknowledged and are not in the end's state, Double are in it more than once.
	Lost, Double int
	// Deployments, Activations, Polls and Elections count what there was to check.
	Deployments, Activations, Polls, Elections int
	// Pictures are files that show what could not be linearized.
	Pictures []string
}

func (v *Verdict) fail(promise, format string, args ...any) {
	v.Findings = append(v.Findings, Finding{promise, fmt.Sprintf(format, args...)})
}

// minimumRate is how many calls the eight clients together have to get answered each second: below it, a round shows
// nothing. minimumReads is the same for polls of one node.
const (
	minimumRate  = 2.0
	minimumPolls = 2.0
)

// Run makes every check. Pictures go into the round's folder.
func Run(e *Evidence) *Verdict {
	v := &Verdict{}
	v.count(e)
	for _, check := range []func(*Verdict, *Evidence){
		acknowledged, journals, digests, approvals, targets, records, rewrites, held, logs, hashes, audits, sessions, ends, rates,
	} {
		check(v, e)
	}
	linearizable(v, e)
	return v
}

func (v *Verdict) count(e *Evidence) {
	for _, c := range e.Calls {
		switch {
		case c.Read():
			v.Reads++
		case c.Kind == history.Commit:
		case c.Outcome == history.OK:
			v.Acked++
		case c.Outcome == history.Refused:
			v.Refused++
		case c.Outcome == history.NotExecuted:
			v.NotExecuted++
		default:
			v.Unknown++
		}
	}
	for _, p := range e.Polls {
		v.Polls += p.Count
	}
	for _, environment := range e.Round.Environments {
		for range e.State().Deployments(environment.Name) {
			v.Deployments++
		}
		v.Activations += len(activations(e.State(), environment.Name))
	}
}

// activations are an environment's, the oldest first.
func activations(s *fsm.State, environment string) []*fsm.Activation {
	all := slices.Collect(s.Activations(environment))
	slices.Reverse(all)
	return all
}

// rates fails a round in which too little happened to show anything.
func rates(v *Verdict, e *Evidence) {
	answered := map[history.Kind]int{}
	total := 0
	for _, c := range e.Calls {
		if c.Outcome == history.OK || c.Outcome == history.Refused {
			answered[c.Kind]++
			total++
		}
	}
	seconds := max(e.Round.Faults, time.Second).Seconds()
	if rate := float64(total) / seconds; rate < minimumRate {
		v.fail("rate", "clients got %.1f answers a second, at least %.1f are needed to show anything", rate, minimumRate)
	}
	for _, kind := range []history.Kind{history.Commit, history.Pause, history.ReadEnvironment} {
		if answered[kind] == 0 {
			v.fail("rate", "no %s was answered", kind)
		}
	}
	polled := map[string]int{}
	for _, p := range e.Polls {
		polled[p.Node] += p.Count
	}
	for _, n := range e.Nodes {
		if rate := float64(polled[n.ID]) / seconds; rate < minimumPolls {
			v.fail("rate", "%s was polled %.1f times a second, at least %.1f are needed to show anything", n.ID, rate, minimumPolls)
		}
	}
}
