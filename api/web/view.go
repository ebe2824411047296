package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// view is a node at one moment, as health judges it.
type view struct {
	contact Contact
	// initialised: the cluster has settings.
	initialised  bool
	pollInterval time.Duration
	environments []environmentView
}

// environmentView is one environment: what the cluster decided and what this
// node does. Times are zero for never.
type environmentView struct {
	name string
	// served is what this node serves; its digest is empty for nothing.
	served Served
	// active is what every node is to serve; nil before the first activation.
	active    *fsm.Active
	lastPoll  time.Time
	nextPoll  time.Time
	pollError string
	// pause is the environment's or that of all, held why its newest commit is not deployed; nil and "" if it is not so.
	pause *fsm.Pause
	held  string
}

// look takes a view. An environment that the settings name no longer is in it
// only while the node serves it. Before the node has applied anything, what it
// serves is all it knows.
func look(n Node) view {
	state := n.State()
	v := view{contact: n.Contact()}
	if s := state.Settings(); s != nil {
		v.initialised, v.pollInterval = true, time.Duration(s.PollInterval)*time.Millisecond
	}
	served := map[string]Served{}
	for _, s := range n.Serving() {
		served[s.Environment] = s
	}
	for e := range state.Environments() {
		s, serving := served[e.Name]
		delete(served, e.Name)
		if !e.Retired || serving {
			v.environments = append(v.environments, environmentView{
				name: e.Name, served: s, active: e.Active,
				lastPoll: moment(e.LastPoll), nextPoll: moment(e.NextPoll), pollError: e.PollError,
				pause: cmp.Or(e.Pause, state.Meta().Freeze), held: heldFor(state, e),
			})
		}
	}
	for name, s := range served {
		v.environments = append(v.environments, environmentView{name: name, served: s})
	}
	slices.SortFunc(v.environments, func(a, b environmentView) int { return cmp.Compare(a.name, b.name) })
	return v
}

// heldFor is why the newest commit of an environment is not deployed; empty if nothing holds it.
func heldFor(state *fsm.State, e *fsm.Environment) string {
	if h := state.Hold(e.Name, e.LatestDigest); h != nil {
		return h.Reason
	}
	if h := state.Hold(e.Name, "commit:"+e.LatestCommit); h != nil {
		return h.Reason
	}
	return ""
}

// serves reports whether the node serves anything of the environment.
func (e environmentView) serves() bool { return e.served.Digest != "" }

// behind reports whether the node serves an earlier activation than it is to.
func (e environmentView) behind() bool {
	return e.active != nil && (e.served.Epoch < e.active.Epoch ||
		e.served.Epoch == e.active.Epoch && e.served.Index < e.active.Index)
}

// moment converts Unix milliseconds; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
