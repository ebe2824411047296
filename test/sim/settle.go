package sim

import (
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
)

// Bounds of a settling: what is not at rest by then never will be.
const (
	settleMs    = 15 * 60 * 1000
	settleSteps = 20_000
	// quietEvery is about how many steps pass between two looks for rest: not a
	// fixed number, or they could fall onto a poll each time.
	quietEvery = 16
)

// chaos lets things happen for a while, faults included.
func (w *world) chaos() {
	end := int(w.between(150, 350))
	switch w.random.IntN(20) {
	case 0:
		end = int(w.between(1000, 3000))
	case 1, 2, 3, 4:
		end = int(w.between(400, 900))
	}
	if w.config.steps > 0 {
		end = min(end, w.config.steps)
	}
	for w.steps < end && w.step() {
	}
}

// settle heals everything, waits for rest, and checks what has come of it.
func (w *world) settle() {
	w.say("everything heals")
	w.calm, w.calmIndex = true, w.raft.commitIndex()
	for _, b := range w.git.branches {
		b.fault, b.deleted = nil, false
	}
	w.upgraded()
	for _, n := range w.nodes {
		n.skew, n.slow = 0, false
		n.news++
		n.start()
	}
	w.unite()
	w.openGates()
	until, last := w.now+settleMs, w.steps+settleSteps
	for {
		for range w.between(quietEvery/2, 2*quietEvery) {
			if !w.step() {
				w.broken("liveness", "nothing happens any more")
			}
		}
		restless := w.restless()
		if restless == "" {
			break
		}
		if w.now > until || w.steps > last {
			w.broken("liveness", "no rest: %s", restless)
		}
	}
	w.verdict()
}

// openGates lets an admin end the pauses, in most runs.
func (w *world) openGates() {
	if w.random.IntN(4) == 0 {
		return
	}
	c := w.callers[0]
	c.ask(resume(""), func() {})
	for _, name := range environmentNames {
		c.ask(resume(name), func() {})
	}
}

// restless says what is not at rest; empty if everything is.
func (w *world) restless() string {
	l := w.raft.leader
	if l == nil || l.tenure == nil || len(w.raft.tail) > 0 {
		return "nobody leads, or proposals are under way"
	}
	for _, n := range w.nodes {
		switch {
		case !n.up || !n.member && n.wantsIn || n.member && !n.voter:
			return n.id + " is not back"
		case n.member && (n.applied < w.raft.commitIndex() || n.acting):
			return fmt.Sprintf("%s is behind: it has %d of %d, is activating: %t", n.id, n.applied, w.raft.commitIndex(), n.acting)
		}
	}
	for _, r := range w.book.requests {
		if !r.done {
			return "request " + r.id + " is not decided"
		}
	}
	if format := l.state.Meta().Format; format < newest {
		return fmt.Sprintf("format %d is still in force", format)
	}
	for env := range l.state.Environments() {
		if restless := w.restlessEnvironment(env); restless != "" {
			return restless
		}
	}
	if l.tenure.look() {
		return "the leader half is busy"
	}
	return ""
}

func (w *world) restlessEnvironment(env *fsm.Environment) string {
	if env.Retired {
		return ""
	}
	head, _ := w.git.headOf(env.Branch)
	switch {
	case env.Operation != nil && !env.Operation.Gated:
		return "an operation on " + env.Name + " is under way: " + env.Operation.Phase.String()
	case env.PollDone < env.PollRequested:
		return "a poll of " + env.Name + " was asked for"
	case env.LatestCommit != head.sha:
		return env.Name + " does not know the head of its branch"
	case env.PollErrorCode != "":
		return env.Name + " cannot be polled: " + env.PollErrorCode
	case w.book.polls[env.Branch] < 2:
		return env.Branch + " was not polled since the last change"
	}
	return ""
}

// counted notes the polls that were committed since everything healed.
func (t *transition) counted() {
	p := t.payload.GetObservePoll()
	if p == nil || !t.b.w.calm || p.GetErrorCode() != "" {
		return
	}
	if head, ok := t.b.w.git.headOf(p.GetBranch()); ok && head.sha == p.GetHead() && t.entry.term == t.b.w.raft.term {
		t.b.polls[p.GetBranch()]++
	}
}
