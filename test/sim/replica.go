package sim

import (
	"bytes"

	"github.com/honua-io/honua-gitops/fsm"
)

// pull plans the arrival of the log.
func (n *node) pull() {
	if n.pulling || !n.up {
		return
	}
	n.pulling = true
	delay := n.w.between(1, 20)
	if n.slow && !n.w.calm {
		delay = n.w.between(500, 6000)
	}
	n.after(delay, func() {
		n.pulling = false
		if leader := n.w.raft.leader; leader != nil && n.member && n.w.connected(n, leader) {
			n.receive()
		}
		if n.up {
			n.apply()
		}
	})
}

// receive stores what the leader has committed. Who lags far behind may get a
// snapshot instead of the entries.
func (n *node) receive() {
	w := n.w
	index := w.raft.commitIndex()
	if leader := w.raft.leader; n.applied+4 < index && leader.applied > n.applied && !w.mutates() && w.chance(0.15) {
		w.count("snapshot installed")
		data := w.snapshot(leader.state)
		n.disk.snapshot, n.disk.snapshotIndex = data, leader.applied
		if !n.restore() {
			return
		}
		n.store.Replace(n.state)
	}
	n.disk.stored = index
}

// apply executes what is stored, at times not all of it.
func (n *node) apply() {
	limit := min(n.disk.stored, n.w.raft.commitIndex())
	if limit > n.applied+2 && n.w.chance(0.15) {
		limit = n.applied + 1 + uint64(n.w.random.IntN(int(limit-n.applied)))
		n.after(n.w.between(5, 300), n.apply)
	}
	if limit <= n.applied {
		return
	}
	life := n.lives
	for n.applied < limit && n.lives == life {
		n.applyNext()
	}
	if n.lives == life {
		n.moved()
	}
}

// applyNext executes one entry and answers its proposer, if this node leads.
func (n *node) applyNext() {
	w := n.w
	index := n.applied + 1
	entry := w.raft.at(index)
	if n.plantSkips(entry) {
		n.applied = index
		return
	}
	before := n.state
	result := w.book.execute(n, index, entry)
	if n.state.Meta().Format > n.format {
		n.halts(before)
		return
	}
	n.applied = index
	if p := entry.proposal; p != nil && p.answer != nil && w.raft.leader == n && w.raft.term == entry.term {
		w.reply(n, p, result)
	}
}

// reply carries a result back to who proposed; it may be lost on the way.
func (w *world) reply(n *node, p *proposal, result fsm.Result) {
	if p.header.Term == 0 && w.harm(0.06, "reply lost") {
		w.after(w.between(100, 3000), func() { p.settle(fsm.Result{}, errUnknown) })
		return
	}
	w.after(w.between(0, 3), func() { p.settle(result, nil) })
}

// moved is called when the state is another one.
func (n *node) moved() {
	n.store.Replace(n.state)
	life := n.lives
	if n.wake(); n.lives != life {
		return // it died of what had waited
	}
	n.follow()
	if n.tenure != nil {
		n.tenure.stateChanged()
	}
}

// snapshot writes a state as a node stores it.
func (w *world) snapshot(state *fsm.State) []byte {
	var b bytes.Buffer
	if err := fsm.WriteSnapshot(&b, state); err != nil {
		w.broken("I11", "a snapshot cannot be written: %v", err)
	}
	return b.Bytes()
}

// saveSnapshot keeps what a restart begins with.
func (n *node) saveSnapshot() {
	if n.w.mutates() {
		return
	}
	n.w.say("%s snapshots %d", n.id, n.applied)
	n.disk.snapshot, n.disk.snapshotIndex = n.w.snapshot(n.state), n.applied
}

// restore makes the stored snapshot the state; false if the process ends of it.
func (n *node) restore() bool {
	if n.disk.snapshot == nil {
		n.state, n.applied = n.w.book.states[0], 0
		return true
	}
	state, err := fsm.ReadSnapshot(bytes.NewReader(n.disk.snapshot))
	if err != nil {
		n.w.broken("I11", "the snapshot of %s cannot be read: %v", n.id, err)
	}
	if state.Meta().Format > n.format {
		n.tooOld()
		return false
	}
	n.state, n.applied = state, n.disk.snapshotIndex
	n.w.book.compare(n)
	if check := fsm.VerifyAudit(state); !check.Intact {
		n.w.broken("I16", "after a snapshot the audit chain of %s is broken at %d", n.id, check.BrokenAt)
	}
	return true
}
