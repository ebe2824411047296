package check

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// searchWithin bounds the search for an order. A search that does not end is a failure: it has shown nothing.
const searchWithin = time.Minute

// linearizable is I8: for each environment, and for each deployment of those that want approvals, there is one order of
// what clients did in which every answer is right. The models are in models.go.
func linearizable(v *Verdict, e *Evidence) {
	executed := executions(e.State())
	for _, environment := range e.Round.Environments {
		name := environment.Name
		v.order(e, "environment "+name, environmentModel(), operations(e.Calls, executed, func(c history.Call) bool {
			return c.Environment == name && (c.Kind == history.Pause || c.Kind == history.Resume || c.Kind == history.ReadEnvironment)
		}))
		if environment.Approvers == 0 {
			continue
		}
		for d := range e.State().Deployments(name) {
			v.order(e, "deployment "+d.ID, deploymentModel(), operations(e.Calls, executed, func(c history.Call) bool {
				return c.Deployment == d.ID
			}))
		}
	}
}

// execution returns the index at which a request was executed; ok is false if it never was.
type execution func(request string) (index uint64, ok bool)

// executions are what a state remembers.
func executions(state *fsm.State) execution {
	return func(request string) (uint64, bool) {
		kept := state.Request(request)
		if kept == nil || kept.Result.Refusal != nil {
			return 0, false
		}
		return kept.Result.Index, true
	}
}

// operations are calls as porcupine takes them. What failed without being executed says nothing, and neither does what
// is unknown and was never executed. What is unknown and was executed was so before an answer came that shows its index;
// without one, at any time. To let it be executed or not at any time would be as right, and with a few of them the
// search does not end.
func operations(calls []history.Call, executed execution, wanted func(history.Call) bool) (all []porcupine.Operation) {
	var seen []string
	for _, c := range calls {
		if !wanted(c) || c.Outcome == history.NotExecuted || c.Outcome == history.Refused {
			continue
		}
		// A repetition changes nothing more.
		if c.RequestID != "" && slices.Contains(seen, c.RequestID) {
			continue
		}
		seen = append(seen, c.RequestID)
		returned := int64(c.Returned)
		if c.Outcome == history.Unknown {
			index, ok := executed(c.RequestID)
			if !ok {
				continue
			}
			returned = shown(calls, index)
		}
		all = append(all, porcupine.Operation{ClientId: c.Client, Input: c, Output: c, Call: int64(c.Called), Return: returned})
	}
	return withoutImplied(all)
}

// withoutImplied leaves out reads that say nothing more than another one: that showed the same and was under way only
// while they were, too. Where the other one has its place in an order, they have theirs beside it. Without it, reads
// that all waited for the same leader have the search try each of their subsets.
func withoutImplied(all []porcupine.Operation) []porcupine.Operation {
	// Whoever returns later, and did not begin later than all before him, was under way while one of them was.
	slices.SortStableFunc(all, func(a, b porcupine.Operation) int {
		return cmp.Or(cmp.Compare(a.Return, b.Return), cmp.Compare(b.Call, a.Call))
	})
	latest := map[string]int64{}
	return slices.DeleteFunc(all, func(o porcupine.Operation) bool {
		c := o.Input.(history.Call)
		if !c.Read() {
			return false
		}
		key := fmt.Sprintf("%s %+v", c.Kind, *c.Seen)
		if begun, known := latest[key]; known && o.Call <= begun {
			return true
		}
		latest[key] = o.Call
		return false
	})
}

// shown is when the first answer came of which the index is at least the given one.
func shown(calls []history.Call, index uint64) int64 {
	first := int64(math.MaxInt64)
	for _, c := range calls {
		if c.Outcome == history.OK && c.AppliedIndex >= index {
			first = min(first, int64(c.Returned))
		}
	}
	return first
}

func (v *Verdict) order(e *Evidence, what string, model porcupine.Model, all []porcupine.Operation) {
	if len(all) == 0 {
		return
	}
	result, info := porcupine.CheckOperationsVerbose(model, all, searchWithin)
	if result == porcupine.Ok {
		return
	}
	picture := filepath.Join(e.Dir, "porcupine-"+strings.ReplaceAll(what, " ", "-")+".html")
	if err := porcupine.VisualizePath(model, info, picture); err != nil {
		v.fail("history", "drawing %s: %v", picture, err)
	}
	v.Pictures = append(v.Pictures, picture)
	if result == porcupine.Unknown {
		v.fail("I8", "%s: no order was found within %s, and none was excluded", what, searchWithin)
		return
	}
	v.fail("I8", "%s: there is no order of %d calls in which every answer is right", what, len(all))
}

func describe(input, _ any) string {
	c := input.(history.Call)
	switch {
	case c.Kind == history.ReadEnvironment:
		return fmt.Sprintf("read at %s: sequence %d, activation %d, pause %q", c.Node, c.Seen.Sequence, c.Seen.Activation, c.Seen.Pause)
	case c.Kind == history.ReadDeployment:
		return fmt.Sprintf("read at %s: %s, %d steps, round %d, approved by %v", c.Node, c.Seen.State, c.Seen.Steps, c.Seen.Rounds, c.Seen.Approvals)
	default:
		return fmt.Sprintf("%s by %s: %s (%s)", c.Kind, c.Actor, c.Outcome, c.Reason)
	}
}
