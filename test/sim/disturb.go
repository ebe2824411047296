package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/honua-io/honua-gitops/gitsync"
)

// disturb does one harm, and plans the next.
func (w *world) disturb() {
	if w.calm {
		return
	}
	w.after(w.between(300, 4000), w.disturb)
	if !w.happens("disturbances") {
		return
	}
	n := pick(w, w.nodes)
	switch w.random.IntN(20) {
	case 0, 1:
		n.crash(w.chance(0.5), "killed")
	case 2, 3, 4:
		if w.raft.leader != nil {
			w.raft.leader.crash(w.chance(0.5), "the leader is killed")
		}
	case 5, 6:
		w.depose("it gives it away")
	case 7, 8:
		w.partition()
	case 9, 10, 11:
		w.unite()
	case 12:
		n.slow = !n.slow
	case 13:
		n.jump(w.between(-20_000, 20_000))
	case 14:
		n.jump(pick(w, []int64{0, 0, 0, -3600_000, 3600_000, 25 * 3600_000}))
	case 15, 16:
		if n.up && n.applied > 0 {
			n.saveSnapshot()
		}
	case 17:
		w.tryWipe(n)
	case 18:
		w.tryMembership(n)
	default:
		w.editSettings()
	}
}

// jump sets a node's clock.
func (n *node) jump(skew int64) {
	n.skew = skew
	n.news++
	n.w.count("clock jumps")
	n.w.say("the clock of %s is off by %d ms", n.id, skew)
	n.w.kickLeader()
}

// partition cuts the network into two.
func (w *world) partition() {
	w.count("partitions")
	for _, n := range w.nodes {
		n.group = w.random.IntN(2)
	}
	w.say("the network is cut: %v", w.ids(func(n *node) bool { return n.group == 0 }))
	w.contacts()
}

func (w *world) unite() {
	for _, n := range w.nodes {
		n.group = 0
	}
	w.contacts()
}

// tryWipe loses a disk, where raft survives it: a majority of the remaining
// voters has the whole log.
func (w *world) tryWipe(n *node) {
	leader := w.raft.leader
	if !n.up || !n.member || leader == nil || leader == n || !w.quorum(leader) || !w.expendable(n) {
		return
	}
	n.wipe()
	w.contacts()
}

// expendable reports whether the cluster can do without a node.
func (w *world) expendable(gone *node) bool {
	voters, whole := 0, 0
	for _, n := range w.nodes {
		if n == gone || !n.member || !n.voter {
			continue
		}
		voters++
		if n.disk.stored == w.raft.commitIndex() && n.up {
			whole++
		}
	}
	return whole >= 2 && whole > voters/2
}

// tryMembership lets a new node join, or an operator remove one.
func (w *world) tryMembership(n *node) {
	leader := w.raft.leader
	if leader == nil || leader.tenure == nil || !w.quorum(leader) {
		return
	}
	if len(w.nodes) < 5 && w.chance(0.5) {
		joins := w.addNode(fmt.Sprintf("node%d", len(w.nodes)+1), w.nodes[0].settingsFile)
		joins.wantsIn = true
		joins.start()
		return
	}
	if n == leader || !n.member || len(w.members()) <= 3 || !w.expendable(n) {
		return
	}
	w.say("an operator removes %s", n.id)
	w.count("removals")
	n.member, n.voter, n.wantsIn = false, false, false
	w.contacts()
}

// editSettings changes the file of some nodes; who edits all changes the cluster.
func (w *world) editSettings() {
	if w.nodes[0].settingsFile == nil {
		return
	}
	w.count("settings files")
	file := w.settingsOf(w.changedSettings(w.nodes[0].settingsFile.settings))
	for _, n := range w.nodes {
		if w.chance(0.8) {
			n.settingsFile = file
			n.news++
		}
	}
	w.kickLeader()
}

// push changes the repository, and plans the next change.
func (w *world) push() {
	if w.calm {
		return
	}
	w.after(w.between(300, 3000), w.push)
	if !w.happens("pushes") {
		return
	}
	b := w.git.branches[pick(w, slices.Sorted(maps.Keys(w.git.branches)))]
	switch w.random.IntN(20) {
	case 0, 1, 2, 3, 4, 5, 16, 17, 18, 19:
		w.advance(b, b.head, w.newContent(w.git.commits[b.head].content))
	case 6, 7:
		w.breakContent(b)
	case 8:
		w.advance(b, b.head, pick(w, w.git.commits).content)
	case 9, 10:
		w.rewrite(b)
	case 11:
		w.advance(b, b.head, map[string]*variant{})
	case 12:
		b.deleted = !b.deleted
	case 13, 14:
		b.fault = pick(w, []error{gitsync.ErrUnavailable, gitsync.ErrGarbage, gitsync.ErrEmptyRepository, gitsync.ErrTimeout})
	default:
		b.fault, b.deleted = nil, false
	}
	if b.deleted || b.fault != nil {
		w.count("git faults")
		w.say("the branch %s: deleted %t, %v", b.name, b.deleted, b.fault)
		w.after(w.between(500, 12_000), func() { b.fault, b.deleted = nil, false })
	}
}

// advance puts a commit on a parent and the branch onto it.
func (w *world) advance(b *branch, parent int, content map[string]*variant) {
	b.head = w.git.add(parent, pick(w, people[:]), content)
	w.pushed(b, "commit")
}

func (w *world) pushed(b *branch, how string) {
	w.count("git " + how)
	c := w.git.commits[b.head]
	w.book.wasHead(c)
	if !w.trace.on {
		return
	}
	names := ""
	for _, name := range environmentNames {
		if v := c.content[name]; v != nil {
			names += fmt.Sprintf(" %s=%s(%.7s)", name, v.name, v.digest)
		}
	}
	w.say("%s of %s on %s:%s", how, c.sha[:7], b.name, names)
}

// breakContent commits what fails the checks.
func (w *world) breakContent(b *branch) {
	content := maps.Clone(w.git.commits[b.head].content)
	name := pick(w, environmentNames[:])
	content[name] = pick(w, w.library.broken[name])
	w.advance(b, b.head, content)
}

// rewrite makes a branch forget commits: back to one, or to a new one beside them.
func (w *world) rewrite(b *branch) {
	n := b.head
	for range w.between(1, 3) {
		if parent := w.git.commits[n].parent; parent >= 0 {
			n = parent
		}
	}
	if w.chance(0.5) {
		w.advance(b, n, w.newContent(w.git.commits[n].content))
		w.count("git rewritten")
		return
	}
	b.head = n
	w.pushed(b, "force push back")
}
