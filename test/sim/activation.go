package sim

import (
	"encoding/json"
	"errors"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	half "github.com/honua-io/honua-gitops/reconciler/node"
)

// serving is what a node serves of one environment.
type serving struct {
	half.Entry
	problem string
}

// later reports whether an activation comes after what is served.
func (s serving) later(a *fsm.Active) bool {
	return a.Epoch > s.Epoch || (a.Epoch == s.Epoch && a.Index > s.ActivationIndex)
}

var errNoContent = errors.New("the content is not there")

// resume serves, at the start of a process, what was active last: from disk,
// before anything of the log is there. An Intent without an Active is closed
// as recovered.
func (n *node) resume() {
	w := n.w
	entries, err := n.disk.replay()
	if err != nil {
		w.broken("I2", "the journal of %s cannot be read: %v", n.id, err)
	}
	w.book.replayed(n, entries)
	for _, name := range environmentNames {
		last, found := half.Entry{}, false
		for _, e := range entries {
			if e.Environment == name {
				last, found = e, true
			}
		}
		if !found || last.Incarnation != n.incarnation {
			continue
		}
		recovered := last.Phase == half.Intent
		if err := n.load(last.Digest); err != nil {
			n.serves[name] = serving{Entry: last, problem: err.Error()}
			continue
		}
		last.Phase, last.Recovered = half.Resumed, recovered
		if !n.journal(last) {
			return
		}
		n.swap(last)
		n.serves[name] = serving{Entry: last}
		w.say("%s resumes %s at %d, recovered %t", n.id, name, last.ActivationIndex, recovered)
	}
}

// load reads a content from disk and checks it.
func (n *node) load(digest string) error {
	packed := n.disk.bundle(digest)
	if packed == nil {
		return errNoContent
	}
	if raw := n.w.library.raws[string(packed)]; bundle.Digest(raw) != digest {
		return errors.New("the content is damaged")
	}
	return nil
}

// journal appends a line and waits for the disk; false if the node died.
func (n *node) journal(e half.Entry) bool {
	line, err := json.Marshal(e)
	if err != nil {
		n.w.broken("driver", "%v", err)
	}
	if n.plantJournal(e, append(line, '\n')) {
		return true
	}
	phase := string(e.Phase)
	if n.crashHere("before " + phase) {
		return false
	}
	n.disk.write(append(line, '\n'))
	if n.crashHere("before the sync of " + phase) {
		return false
	}
	n.disk.sync()
	return !n.crashHere("after " + phase)
}

// swap makes the node serve a content: one pointer.
func (n *node) swap(e half.Entry) {
	n.registry[e.Environment] = e.Digest
	n.w.book.swapped(n, e)
}

// follow looks, after a change, for what is to be activated.
func (n *node) follow() {
	if n.acting {
		n.again = true
		return
	}
	n.acting, n.again = true, false
	n.after(n.w.between(0, 10), n.catchUp)
}

// catchUp activates every environment that is behind. Only the newest state
// counts, and none before the node has caught up.
func (n *node) catchUp() {
	if n.applied < n.catchUpTo || n.plantStops() {
		n.acting = false
		return
	}
	n.turn(n.plantState(), 0, false)
}

// turn looks at one environment after the other, all of the same state.
func (n *node) turn(state *fsm.State, i int, behind bool) {
	for ; i < len(environmentNames); i++ {
		env := state.Environment(environmentNames[i])
		if env == nil {
			continue
		}
		if env.Operation == nil {
			delete(n.stages, env.Name)
		}
		known, ok := n.plantKnown(n.known(env.Name))
		if env.Active == nil || ok && known.problem == "" && !known.later(env.Active) {
			continue
		}
		if err := n.obtain(state, env.Name, env.Active.Digest); err != nil {
			if !n.up {
				return
			}
			behind = true
			continue
		}
		n.activate(state, env, known, ok, func() { n.turn(state, i+1, behind) })
		return
	}
	n.prune(state)
	n.acting = false
	switch {
	case n.again:
		n.follow()
	case behind:
		n.after(1000, n.follow)
	}
}

// known is what the node serves of an environment.
func (n *node) known(environment string) (serving, bool) {
	s, ok := n.serves[environment]
	return s, ok
}

// obtain puts a content onto the disk and reads it back.
func (n *node) obtain(state *fsm.State, environment, digest string) error {
	if stored := state.Bundle(digest); stored != nil && n.load(digest) != nil {
		if n.crashHere("before the bundle") {
			return errNoContent
		}
		n.disk.put(digest, stored.Compressed, false)
		if n.crashHere("before the sync of the bundle") {
			return errNoContent
		}
		n.disk.put(digest, stored.Compressed, true)
	}
	err := n.load(digest)
	if known, ok := n.serves[environment]; err != nil && ok {
		known.problem = err.Error()
		n.serves[environment] = known
		n.reportSoon()
	}
	return err
}

// activate is Intent on disk, the swap, Active on disk. To serve again what was
// activated before is no activation: it is journalled as resumed.
func (n *node) activate(state *fsm.State, env *fsm.Environment, known serving, ok bool, next func()) {
	a := env.Active
	e := half.Entry{
		Incarnation: n.incarnation, Epoch: a.Epoch, Environment: env.Name, ActivationIndex: a.Index,
		Term: state.Meta().Term, Deployment: a.DeploymentID, Commit: a.Commit, Digest: a.Digest, Phase: half.Intent,
	}
	repair := ok && !known.later(a)
	if repair {
		e.Phase = half.Resumed
	}
	if !n.journal(e) {
		return
	}
	n.after(n.w.between(0, 5), func() {
		n.swap(e)
		n.w.say("%s swaps %s to %d", n.id, env.Name, e.ActivationIndex)
		if n.crashHere("after the swap") {
			return
		}
		n.after(n.w.between(0, 5), func() {
			if !repair {
				e.Phase = half.Active
				if !n.journal(e) {
					return
				}
				n.w.count("activations on nodes")
			}
			n.serves[env.Name] = serving{Entry: e}
			n.wake()
			n.reportSoon()
			if !n.crashHere("before the report") {
				next()
			}
		})
	})
}

// reportSoon lets the leader see what this node serves.
func (n *node) reportSoon() { n.w.kickLeader() }

// prune deletes contents that neither the state keeps nor this node serves.
func (n *node) prune(state *fsm.State) {
	for digest := range n.disk.bundles {
		if state.Bundle(digest) == nil && !n.servesDigest(digest) {
			delete(n.disk.bundles, digest)
		}
	}
}

func (n *node) servesDigest(digest string) bool {
	for _, s := range n.serves {
		if s.Digest == digest {
			return true
		}
	}
	return false
}
