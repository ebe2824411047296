package sim

// looks has somebody look at one of the nodes, and plans when the next one does.
func (w *world) looks() {
	if w.calm {
		return
	}
	w.after(w.between(200, 2000), w.looks)
	pick(w, w.nodes).look()
}

// look asks the node for a current state, which has to show all that anyone was told before (I8).
func (n *node) look() {
	if w := n.w; n.up && !w.calm && w.happens("linearizable reads") {
		floor := w.book.shown
		n.linearize(func() { w.book.read(n, floor) })
	}
}

// askDeposed has people look at a leader that was deposed, for as long as it does not know it, and at others, which may
// have a newer one.
func (t *tenure) askDeposed() {
	t.after(t.n.w.between(20, 200), func() {
		t.n.look()
		pick(t.n.w, t.n.w.nodes).look()
		t.askDeposed()
	})
}

// linearize goes on once the node's state shows everything that was committed when it was asked. What is lost on the way is
// not asked again.
func (n *node) linearize(then func()) {
	w := n.w
	reached := func(index uint64) { n.await(func() bool { return n.plantCurrent() || n.applied >= index }, then) }
	if n.tenure != nil {
		n.confirm(reached)
		return
	}
	var leaders []*node // a cut cluster may have two who think so
	for _, l := range w.nodes {
		if l.tenure != nil && w.connected(n, l) {
			leaders = append(leaders, l)
		}
	}
	if len(leaders) == 0 {
		return
	}
	l, life := pick(w, leaders), n.lives
	l.after(w.between(1, 20), func() {
		l.confirm(func(index uint64) {
			w.after(w.between(1, 20), func() {
				if n.up && n.lives == life && w.connected(n, l) {
					reached(index)
				}
			})
		})
	})
}

// confirm notes what is committed, and goes on with it if a majority says afterwards that nobody else leads. See Ongaro,
// Consensus: Bridging Theory and Practice, section 6.4.
func (n *node) confirm(then func(index uint64)) {
	w := n.w
	if n.tenure == nil {
		return
	}
	term, index := n.tenure.term, n.disk.stored
	n.after(w.between(1, 60), func() {
		if n.plantVerified() || w.raft.leader == n && w.raft.term == term && w.quorum(n) {
			then(index)
		} else {
			w.count("reads that a stale leader refused")
		}
	})
}

// acknowledgedAt notes that somebody was told of an index: reads that begin later have to see it.
func (b *book) acknowledgedAt(index uint64) { b.shown = max(b.shown, index) }

// read checks a state that a node has for a linearizable read (I8).
func (b *book) read(n *node, floor uint64) {
	index := n.store.State().Index()
	if index < floor {
		b.w.broken("I8", "%s answers with the state of %d, and %d was known before it was asked", n.id, index, floor)
	}
	b.w.count("linearizable reads answered")
	b.acknowledgedAt(index)
}

// neverBack checks that a process never shows an older state than before (I9).
func (b *book) neverBack(n *node) {
	index := n.plantOlder(n.store.State().Index())
	if index < n.shown {
		b.w.broken("I9", "%s shows the state of %d after that of %d", n.id, index, n.shown)
	}
	n.shown = index
}
