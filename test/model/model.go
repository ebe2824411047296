// Package model is a small, independent account of what may happen to a
// deployment: which command may take it from which state to which. It is
// written from the architecture's table of states, not from the state machine,
// and knows nothing of how that decides.
package model

import (
	"fmt"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
)

// Event is what a command asks for.
type Event string

// The events that may move a deployment.
const (
	Create   Event = "create"
	Begin    Event = "begin"
	Stage    Event = "stage"
	Activate Event = "activate"
	Finish   Event = "finish"
	Approve  Event = "approve"
	Reject   Event = "reject"
	Cancel   Event = "cancel"
	Retry    Event = "retry"
	Rollback Event = "rollback"
	Expire   Event = "expire"
	Poll     Event = "poll"
	Settings Event = "settings"
	Other    Event = "other"
)

type way struct{ from, to fsm.DeploymentState }

// ways says which events may take a deployment each way.
var ways = map[way][]Event{
	{fsm.StateNone, fsm.Pending}:           {Create},
	{fsm.StateNone, fsm.AwaitingApproval}:  {Create},
	{fsm.StateNone, fsm.Failed}:            {Create},
	{fsm.Pending, fsm.AwaitingApproval}:    {Settings, Activate, Finish},
	{fsm.Pending, fsm.Applying}:            {Begin},
	{fsm.Pending, fsm.Superseded}:          {Create, Approve, Retry, Poll},
	{fsm.Pending, fsm.Failed}:              {Cancel, Rollback},
	{fsm.AwaitingApproval, fsm.Pending}:    {Approve, Retry, Settings, Activate, Finish, Poll},
	{fsm.AwaitingApproval, fsm.Superseded}: {Create, Approve, Retry, Poll},
	{fsm.AwaitingApproval, fsm.Failed}:     {Reject, Cancel, Expire, Rollback},
	{fsm.Applying, fsm.Completed}:          {Finish},
	{fsm.Applying, fsm.Failed}:             {Stage, Finish, Cancel, Rollback},
	{fsm.Applying, fsm.RolledBack}:         {Finish},
	{fsm.Applying, fsm.Pending}:            {Stage}, // a dry run
	{fsm.Completed, fsm.RolledBack}:        {Finish},
	{fsm.Failed, fsm.RolledBack}:           {Finish},
	{fsm.Failed, fsm.Pending}:              {Retry, Create},
	{fsm.Failed, fsm.AwaitingApproval}:     {Retry, Create},
	{fsm.RolledBack, fsm.Pending}:          {Retry, Create},
	{fsm.RolledBack, fsm.AwaitingApproval}: {Retry, Create},
	{fsm.RolledBack, fsm.Completed}:        {Finish},
	{fsm.Failed, fsm.Completed}:            {Finish},
	// The branch asks for the same commit again.
	{fsm.Completed, fsm.Pending}:           {Create},
	{fsm.Completed, fsm.AwaitingApproval}:  {Create},
	{fsm.Superseded, fsm.Pending}:          {Create},
	{fsm.Superseded, fsm.AwaitingApproval}: {Create},
	// A way back leads to what completed, wherever it went since.
	{fsm.Superseded, fsm.Completed}: {Finish},
}

// Check says what is wrong with what an event made of a state; nil if nothing is.
func Check(before, after *fsm.State, event Event) error {
	for env := range after.Environments() {
		if err := checkRecords(before, after, env, event); err != nil {
			return err
		}
		if err := checkEnvironment(before.Environment(env.Name), env, event); err != nil {
			return err
		}
	}
	return nil
}

func checkRecords(before, after *fsm.State, env *fsm.Environment, event Event) error {
	applying := 0
	known := records{}
	var waiting []string
	for d := range after.Deployments(env.Name) {
		was := fsm.StateNone
		if b := before.Deployment(d.ID); b != nil {
			was = b.State
		}
		if was != d.State && !slices.Contains(ways[way{was, d.State}], event) {
			return fmt.Errorf("%s took deployment %s from %q to %q", event, d.ID, was, d.State)
		}
		if was == fsm.Pending && d.State == fsm.Applying && !d.Overridden && uint32(len(d.Approvals)) < d.Required {
			return fmt.Errorf("I5: deployment %s began with %d of %d approvals", d.ID, len(d.Approvals), d.Required)
		}
		if d.State == fsm.Applying {
			applying++
		}
		if d.State.Waiting() {
			waiting = append(waiting, d.ID)
		}
		if err := known.add(d); err != nil {
			return err
		}
	}
	if applying > 1 {
		return fmt.Errorf("%d deployments are being applied to %s", applying, env.Name)
	}
	line := slices.Sorted(slices.Values(env.Waiting))
	if slices.Sort(waiting); !slices.Equal(line, waiting) {
		return fmt.Errorf("in line are %v, waiting are %v", line, waiting)
	}
	return checkOperation(after, env)
}

// records are the deployments of each commit by digest.
type records map[string]map[string]string

// add: a commit has one record for each content, and none beside them for a time when it could not be read.
func (r records) add(d *fsm.Deployment) error {
	of := r[d.Commit]
	if of == nil {
		of = map[string]string{}
		r[d.Commit] = of
	}
	if of[d.Digest] != "" || of[""] != "" || d.Digest == "" && len(of) > 0 {
		return fmt.Errorf("I12: deployment %s is of commit %s, beside %v", d.ID, d.Commit, of)
	}
	of[d.Digest] = d.ID
	return nil
}

// checkOperation: what is under way belongs to a record that says so, and a way
// back leads to what completed and is kept (I7).
func checkOperation(after *fsm.State, env *fsm.Environment) error {
	op := env.Operation
	if op == nil {
		for d := range after.Deployments(env.Name) {
			if d.State == fsm.Applying {
				return fmt.Errorf("deployment %s is being applied by nothing", d.ID)
			}
		}
		return nil
	}
	target := after.Deployment(op.TargetID)
	switch {
	case target == nil || after.Bundle(op.Digest) == nil:
		return fmt.Errorf("the content of operation %d is not kept", op.ID)
	case op.Kind == fsm.Rollback && !target.EverCompleted:
		return fmt.Errorf("I7: rolling back to %s, which never completed", target.ID)
	case op.Kind == fsm.Deploy && target.State != fsm.Applying:
		return fmt.Errorf("deployment %s is applied and %s", target.ID, target.State)
	}
	return nil
}

func checkEnvironment(before, after *fsm.Environment, event Event) error {
	if before == nil {
		return nil
	}
	moved := activeIndex(after) != activeIndex(before)
	switch {
	case moved && event != Activate:
		return fmt.Errorf("%s changed what %s serves", event, after.Name)
	case moved && activeIndex(after) != before.LastActivation+1:
		return fmt.Errorf("I4: activation %d after %d", activeIndex(after), before.LastActivation)
	case after.LastActivation != before.LastActivation && !moved:
		return fmt.Errorf("I4: activation %d was given to nothing", after.LastActivation)
	}
	return nil
}

func activeIndex(env *fsm.Environment) uint64 {
	if env.Active == nil {
		return 0
	}
	return env.Active.Index
}
