package check

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// searchWithin bounds the search for an order. A search that does not end is a failure: it has shown nothing.
const searchWithin = time.Minute

// linearizable is I8: for each environment, and for each deployment of those that want approvals, there is one order of
// what clients did in which every answer is right. The models are in models.go.
func linearizable(v *Verdict, e *Evidence) {
	for _, environment := range e.Round.Environments {
		name := environment.Name
		v.order(e, "environment "+name, environmentModel(), operations(e.Calls, func(c history.Call) bool {
			return c.Environment == name && (c.Kind == history.Pause || c.Kind == history.Resume || c.Kind == history.ReadEnvironment)
		}))
		if environment.Approvers == 0 {
			continue
		}
		for d := range e.State().Deployments(name) {
			v.order(e, "deployment "+d.ID, deploymentModel(), operations(e.Calls, func(c history.Call) bool {
				return c.Deployment == d.ID
			}))
		}
	}
}

// operations are calls as porcupine takes them. What failed without being executed says nothing. What is unknown may
// have been executed at any time since, so it has not returned yet; no read shows it if it never was.
func operations(calls []history.Call, wanted func(history.Call) bool) (all []porcupine.Operation) {
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
			returned = math.MaxInt64
		}
		all = append(all, porcupine.Operation{ClientId: c.Client, Input: c, Output: c, Call: int64(c.Called), Return: returned})
	}
	return all
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
