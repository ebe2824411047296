package sim

import (
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
)

// depose ends a leadership. What was accepted and not committed may yet be.
func (w *world) depose(why string) {
	r := &w.raft
	leader := r.leader
	if leader == nil {
		return
	}
	w.say("%s loses the leadership of term %d: %s", leader.id, r.term, why)
	w.count("leadership lost")
	r.leader = nil
	r.orphans, r.tail = r.tail, nil
	r.lost, r.lostLife = leader, leader.lives
	for _, p := range r.orphans {
		w.after(w.between(0, 500), func() { p.settle(fsm.Result{}, errUnknown) })
	}
	for i := leader.applied; i < r.commitIndex(); i++ {
		if p := r.log[i].proposal; p != nil && p.answer != nil {
			w.after(w.between(0, 500), func() { p.settle(fsm.Result{}, errUnknown) })
		}
	}
	if t := leader.tenure; t != nil {
		unaware := w.between(0, 1500)
		if w.chance(0.2) {
			unaware = w.between(1500, 6000) // a process that stood still meanwhile
		}
		leader.after(unaware, t.end)
		t.askDeposed()
	}
	w.elect()
}

// elect plans an election.
func (w *world) elect() {
	if w.raft.electing {
		return
	}
	w.raft.electing = true
	w.after(w.between(200, 1200), w.election)
}

// election gives the next term to one of the voters that may lead.
func (w *world) election() {
	r := &w.raft
	r.electing = false
	if r.leader != nil {
		return
	}
	var able []*node
	for _, n := range w.nodes {
		if n.up && n.member && n.voter && n.disk.stored == r.commitIndex() && w.quorum(n) {
			able = append(able, n)
		}
	}
	if len(able) == 0 {
		r.electing = true
		w.after(w.between(500, 2000), w.election)
		return
	}
	n := pick(w, able)
	r.term += 1 + uint64(w.random.IntN(2))
	r.leader = n
	w.say("%s leads term %d", n.id, r.term)
	w.count("elections")
	w.inherit(n)
	w.append(r.term, nil)
	w.replicate(n)
	term, life := r.term, n.lives
	n.after(w.between(1, 50), func() {
		if r.leader == n && r.term == term && n.lives == life {
			if n.apply(); n.lives == life {
				w.lead(n, term)
			}
		}
	})
}

// inherit commits what the new leader has of the old one's uncommitted entries.
func (w *world) inherit(n *node) {
	r := &w.raft
	survive := len(r.orphans)
	if n != r.lost || n.lives != r.lostLife {
		survive = w.random.IntN(survive + 1)
	}
	for _, p := range r.orphans[:survive] {
		w.count("committed by a successor")
		w.append(p.term, p)
	}
	r.orphans = nil
}

// voters and members are the raft configuration, sorted.
func (w *world) voters() []string  { return w.ids(func(n *node) bool { return n.member && n.voter }) }
func (w *world) members() []string { return w.ids(func(n *node) bool { return n.member }) }

func (w *world) ids(wanted func(*node) bool) []string {
	var ids []string
	for _, n := range w.nodes {
		if wanted(n) {
			ids = append(ids, n.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// node returns a node by its id, or nil.
func (w *world) node(id string) *node {
	for _, n := range w.nodes {
		if n.id == id {
			return n
		}
	}
	return nil
}
