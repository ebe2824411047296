package check

import (
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// environmentState is what clients can know of an environment: who paused it, and how far it has come. Only clients
// pause and resume; it goes forward by itself, and never back.
type environmentState struct {
	pause                string
	sequence, activation uint64
}

func environmentModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return environmentState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, c := state.(environmentState), input.(history.Call)
			switch c.Kind {
			case history.Pause:
				s.pause = c.Reason
			case history.Resume:
				s.pause = ""
			default:
				if c.Seen.Pause != s.pause || c.Seen.Sequence < s.sequence || c.Seen.Activation < s.activation {
					return false, s
				}
				s.sequence, s.activation = c.Seen.Sequence, c.Seen.Activation
			}
			return true, s
		},
		DescribeOperation: describe,
	}
}

// deploymentState is what clients can know of a deployment that wants approvals: how often it was asked for them, who
// approved since it was asked last, and how long its history is at least. Only clients approve; it is asked for
// approvals again, and goes on, by itself.
type deploymentState struct {
	rounds, steps int
	approvals     string
}

func approvers(names []string) string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), ",")
}

// mostRounds is how often a deployment may have been asked for approvals between two looks of clients.
const mostRounds = 3

func deploymentModel() porcupine.Model {
	nondeterministic := porcupine.NondeterministicModel{
		Init:              func() []any { return []any{deploymentState{}} },
		Step:              stepDeployment,
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: describe,
	}
	return nondeterministic.ToModel()
}

func stepDeployment(state, input, _ any) []any {
	s, c := state.(deploymentState), input.(history.Call)
	switch c.Kind {
	case history.Approve:
		next := []any{deploymentState{s.rounds, s.steps, approvers(append(split(s.approvals), c.Actor))}}
		for more := 1; more <= mostRounds; more++ {
			next = append(next, deploymentState{s.rounds + more, s.steps + more, c.Actor})
		}
		return next
	case history.Reject:
		next := []any{deploymentState{s.rounds, s.steps + 1, s.approvals}}
		for more := 1; more <= mostRounds; more++ {
			next = append(next, deploymentState{s.rounds + more, s.steps + more + 1, ""})
		}
		return next
	}
	seen := deploymentState{c.Seen.Rounds, c.Seen.Steps, approvers(c.Seen.Approvals)}
	switch {
	case seen.rounds < s.rounds || seen.steps < s.steps:
		return nil
	case seen.rounds == s.rounds && seen.approvals != s.approvals:
		return nil
	case seen.rounds > s.rounds && seen.approvals != "":
		return nil
	}
	return []any{seen}
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
