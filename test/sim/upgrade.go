package sim

import (
	"github.com/honua-io/honua-gitops/fsm"
)

// newest is the newest format that the build under test knows. The build for tests of upgrades knows one more than
// the release before it: with it, most runs begin on that release and are upgraded while all else goes on.
const newest = fsm.FormatVersion

// upgrades lets a run begin with the release before, and have nodes get another build one after another.
func (w *world) upgrades() {
	if newest == fsm.FirstFormat || w.chance(0.2) {
		return
	}
	for _, n := range w.nodes {
		n.format = fsm.FirstFormat
	}
	w.after(w.between(1000, 8000), w.upgrade)
}

// upgrade gives one node the other build, and plans the next. A build that is taken back, which the guide to upgrades
// advises against once the format is in force, is not told of to the leader before the node is heard of again.
func (w *world) upgrade() {
	if w.calm {
		return
	}
	w.after(w.between(500, 6000), w.upgrade)
	n := pick(w, w.nodes)
	switch {
	case n.format < newest:
		n.install(newest)
	case w.harm(0.1, "build taken back"):
		n.install(fsm.FirstFormat)
		n.takenBack = true
	}
}

// install ends a node's process, if it runs, and lets the next one be of another build.
func (n *node) install(format uint32) {
	n.w.say("%s gets the build of format %d", n.id, format)
	n.w.count("builds installed")
	n.crash(false, "it gets another build")
	n.format, n.takenBack = format, false
	n.news++
}

// halts is what a build does at the entry that takes a format into use which it does not know. No node that is on
// record with its build, and has kept it, is led there.
func (n *node) halts(before *fsm.State) {
	known := before.Node(n.id)
	if known != nil && known.Incarnation == n.incarnation && !n.takenBack {
		n.w.broken("upgrade", "%s halts: it is on record with format %d, and format %d came into force", n.id, known.Format, newest)
	}
	n.tooOld()
}

// tooOld is a build that a disk, or the cluster that it asks to join, has no use for: its operator installs the one
// that the message names.
func (n *node) tooOld() {
	n.w.count("builds too old")
	n.install(newest)
}

// upgraded gives everybody the newest build.
func (w *world) upgraded() {
	for _, n := range w.nodes {
		if n.format < newest {
			n.install(newest)
		}
	}
}
