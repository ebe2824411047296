package admin

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
)

// deployment finds the record that a change is about. What this node does not
// know yet is looked for in a linearizable state, so that a change is refused
// for what does not exist only.
func (c *core) deployment(ctx context.Context, id string) (*fsm.Deployment, error) {
	if d := c.Store.State().Deployment(id); d != nil {
		return d, nil
	}
	state, err := c.Reader.Linearize(ctx)
	if err != nil {
		return nil, c.readFailed(err)
	}
	return findDeployment(state, id)
}

// hasEnvironment makes sure, in the same way, that an environment exists.
func (c *core) hasEnvironment(ctx context.Context, name string) error {
	if c.Store.State().Environment(name) != nil {
		return nil
	}
	state, err := c.Reader.Linearize(ctx)
	if err != nil {
		return c.readFailed(err)
	}
	_, err = findEnvironment(state, name)
	return err
}

func findDeployment(state *fsm.State, id string) (*fsm.Deployment, error) {
	if d := state.Deployment(id); d != nil {
		return d, nil
	}
	return nil, unknown("deployment", id, nearest(id, recentIDs(state)))
}

func findEnvironment(state *fsm.State, name string) (*fsm.Environment, error) {
	if e := state.Environment(name); e != nil {
		return e, nil
	}
	names := func(yield func(string) bool) {
		for e := range state.Environments() {
			if !yield(e.Name) {
				return
			}
		}
	}
	return nil, unknown("environment", name, nearest(name, names))
}

func unknown(kind, name string, near []string) error {
	p := &problem{failure: NotFound, reason: "unknown_" + kind, message: fmt.Sprintf("there is no %s %q", kind, name)}
	if len(near) == 0 {
		return p
	}
	p.message += "; the nearest: " + strings.Join(near, ", ")
	return p.with(metaNearest, strings.Join(near, ","))
}

// searched is how many ids of each environment are compared with one that does
// not exist: the newest are what an operator means.
const searched = 500

func recentIDs(state *fsm.State) iter.Seq[string] {
	return func(yield func(string) bool) {
		for e := range state.Environments() {
			n := 0
			for d := range state.Deployments(e.Name) {
				if n == searched {
					break
				}
				n++
				if !yield(d.ID) {
					return
				}
			}
		}
	}
}
