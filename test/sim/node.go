package sim

import (
	"github.com/honua-io/honua-gitops/fsm"
	half "github.com/honua-io/honua-gitops/reconciler/node"
)

// node is one node: its disk, and what its process holds in memory.
type node struct {
	w           *world
	id          string
	incarnation string
	// member and voter are its place in the raft configuration.
	member, voter bool
	// group is its side of a partition; skew is what its clock is off, ms.
	group int
	skew  int64
	// slow: its log arrives late.
	slow bool
	// wantsIn: it asks for admission until it is a member.
	wantsIn bool
	// settingsFile is the settings in its own file.
	settingsFile *settingsFile
	disk         *disk
	// disturbed: its disk has refused something.
	disturbed bool

	// starting: its process runs and serves from disk; up: it takes part.
	starting, up bool
	// lives counts its processes: what one planned, the next does not do.
	lives int
	// format is the newest that its build knows; takenBack: it had a later one.
	format    uint32
	takenBack bool
	// strict: it applies every entry itself and shares nothing with others.
	strict bool
	// viewer: it writes the files for people.
	viewer  bool
	state   *fsm.State
	applied uint64
	// shown is the index of the state that its process showed last.
	shown uint64
	// catchUpTo is the index from which on its state is acted on.
	catchUpTo uint64
	pulling   bool
	// half is the product's node half, nil until it has opened its disk.
	half     *half.Node
	store    *fsm.Store
	registry map[string]string
	tasks    []*task
	acting   bool
	again    bool
	waiters  []waiter
	tenure   *tenure
	// news counts what its status says and did not before.
	news uint64
	// unreachable is since when each other node is not heard of, by id.
	unreachable map[string]int64
}

// waiter is something that waits for the node to get on.
type waiter struct {
	ready func() bool
	run   func()
}

// clock is the node's own, Unix milliseconds.
func (n *node) clock() int64 { return n.w.now + n.skew }

// after plans something that only this life of the process does.
func (n *node) after(ms int64, run func()) {
	life := n.lives
	n.w.after(ms, func() {
		if n.up && n.lives == life {
			run()
		}
	})
}

// await runs something once the node is ready for it.
func (n *node) await(ready func() bool, run func()) {
	if ready() {
		run()
		return
	}
	n.waiters = append(n.waiters, waiter{ready: ready, run: run})
}

// wake lets go on what waited for what is there now.
func (n *node) wake() {
	waiting := n.waiters
	n.waiters = nil
	life := n.lives
	for _, w := range waiting {
		if n.lives != life {
			return
		}
		n.await(w.ready, w.run)
	}
}
