package sim

import (
	"bytes"
	"iter"

	"github.com/honua-io/honua-gitops/fsm"
	half "github.com/honua-io/honua-gitops/reconciler/node"
)

// book is what the checks know: what was committed, what the nodes did and what
// callers were told. It learns of each thing once, when it happens.
type book struct {
	w *world
	// states and results are after each index, by who came there first; hashes
	// are of those states that another node was compared with.
	states  []*fsm.State
	hashes  map[uint64][32]byte
	results []fsm.Result

	requests []*request
	// shown is the newest index that anyone was told of, by an answer to a request or to a read.
	shown uint64
	memory
	// activations are the committed ones, by environment and index.
	activations map[string][]activation
	// performed is the newest activation of each incarnation and environment.
	performed map[string]activation
	// heads are the digests that a branch's head has had, by environment.
	heads map[string]bool
	// polls are the successful ones since the last change, by branch.
	polls map[string]int
}

// compareEvery is how many entries a node that shares nothing applies between
// two comparisons. States that differ stay different.
const compareEvery = 8

// execution is the first execution of a request.
type execution struct {
	index  uint64
	result fsm.Result
}

// vote is an approval that the log holds.
type vote struct{ approver, policy string }

// activation is a committed decision about what is served.
type activation struct {
	epoch, index       uint64
	deployment, digest string
	commit             string
}

func newBook(w *world) *book {
	state := fsm.New()
	return &book{
		w: w, states: []*fsm.State{state}, hashes: map[uint64][32]byte{}, results: []fsm.Result{{}},
		memory: memory{
			executions: map[string]execution{}, records: map[string]string{}, votes: map[string][]vote{},
			overrides: map[string]bool{}, completed: map[string]bool{}, begun: map[uint64]bool{},
		},
		activations: map[string][]activation{}, performed: map[string]activation{}, heads: map[string]bool{}, polls: map[string]int{},
	}
}

// execute lets a node apply an entry. Nodes that share the state before it
// share the one after it, because Apply is pure. Strict nodes share nothing, and
// those that began with a snapshot nothing until they were compared: they show
// that it is.
func (b *book) execute(n *node, index uint64, entry *logEntry) fsm.Result {
	known := index < uint64(len(b.states))
	if entry.proposal == nil {
		if !known {
			b.keep(b.states[index-1], fsm.Result{})
		}
		return fsm.Result{}
	}
	if known && !n.strict && n.state == b.states[index-1] {
		n.state = b.states[index]
		return b.results[index]
	}
	next, result, err := fsm.Apply(n.state, fsm.Entry{Index: index, Term: entry.term, Data: entry.proposal.data})
	if err != nil {
		b.w.broken("fatal", "%s halts: %v", n.id, err)
	}
	previous := n.state
	n.state = next
	b.w.plantExecution(n, entry, result)
	if known {
		n.applied = index
		if index%compareEvery == 0 {
			b.compare(n)
			if !n.strict {
				n.state = b.states[index]
			}
		}
		return result
	}
	if b.w.trace.on {
		b.w.say("  applied %d by %s: %s", index, n.id, outcome(result))
	}
	b.keep(next, result)
	b.observe(index, entry, previous, next, result)
	return result
}

func outcome(r fsm.Result) string {
	switch {
	case r.Refusal != nil:
		return "refused, " + r.Refusal.Reason + ": " + r.Refusal.Message
	case r.Replayed:
		return "replayed " + r.DeploymentID
	default:
		return "done " + r.DeploymentID + " " + r.Message
	}
}

func (b *book) keep(state *fsm.State, result fsm.Result) {
	b.states = append(b.states, state)
	b.results = append(b.results, result)
}

// compare checks that equal indexes have equal hashes (I11).
func (b *book) compare(n *node) {
	if b.w.mutates() || n.applied >= uint64(len(b.states)) || n.state == b.states[n.applied] {
		return
	}
	want, known := b.hashes[n.applied]
	if !known {
		want = b.states[n.applied].Hash()
		b.hashes[n.applied] = want
	}
	if n.state.Hash() != want {
		b.w.broken("I11", "%s has another state at index %d", n.id, n.applied)
	}
}

func (b *book) wasHead(c *commit) {
	for _, name := range environmentNames {
		if v := c.content[name]; v != nil && v.digest != "" {
			b.heads[name+"/"+v.digest] = true
		}
	}
}

// activated returns a committed activation.
func (b *book) activated(environment string, epoch, index uint64) (activation, bool) {
	list := b.activations[environment]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].epoch == epoch && list[i].index == index {
			return list[i], true
		}
	}
	return activation{}, false
}

// newest is the last committed activation, nothing if there is none.
func (b *book) newest(environment string) activation {
	if list := b.activations[environment]; len(list) > 0 {
		return list[len(list)-1]
	}
	return activation{}
}

// before reports whether an activation was decided before another one.
func (a activation) before(o activation) bool {
	return a.epoch < o.epoch || a.epoch == o.epoch && a.index < o.index
}

// check runs after every step: what is served is one activated content, whole (I6), and no state is older than before (I9).
func (b *book) check() {
	for _, n := range b.w.nodes {
		if !n.up {
			continue
		}
		if n.store.State() != n.state {
			b.w.broken("simulator", "%s acts on the state of %d and has %d", n.id, n.store.State().Index(), n.state.Index())
		}
		b.neverBack(n)
		for _, name := range environmentNames {
			digest, serves := n.registry[name]
			if serves && !b.servable(name, digest) {
				b.w.broken("I6", "%s serves %.7s of %s, which was never activated", n.id, digest, name)
			}
		}
	}
}

func (b *book) servable(environment, digest string) bool {
	list := b.activations[environment]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].digest == digest {
			return true
		}
	}
	return false
}

// swapped checks what a node begins to serve (I1, I2, I6).
func (b *book) swapped(n *node, environment, digest string) {
	e := b.announced(n, environment, digest)
	a, ok := b.activated(environment, e.Epoch, e.ActivationIndex)
	if !ok || a.digest != digest || a.commit != e.Commit || a.deployment != e.Deployment {
		b.w.broken("I1", "%s activates %s %d with %.7s, which was not committed so", n.id, environment, e.ActivationIndex, digest)
	}
	if !n.disk.holds(digest) {
		b.w.broken("I6", "%s serves %.7s, which is not safely on its disk", n.id, digest)
	}
	key := e.Incarnation + "/" + environment
	last := b.performed[key]
	switch {
	case a.before(last):
		b.w.broken("I1", "%s activates %s %d of epoch %d after %d of epoch %d", n.id, environment, a.index, a.epoch, last.index, last.epoch)
	case a == last && e.Phase == half.Intent:
		b.w.broken("I2", "%s activates %s %d twice", n.id, environment, a.index)
	}
	b.performed[key] = a
}

// announced is what the journal says, safely on disk, of what happens now (I2).
func (b *book) announced(n *node, environment, digest string) half.Entry {
	var e half.Entry
	for line := range backwards(n.disk.journal()) {
		var err error
		if e, err = half.ParseEntry(line); err != nil || e.Environment == environment {
			break
		}
	}
	if e.Environment != environment || e.Digest != digest || e.Incarnation != n.incarnation || e.Phase == half.Active {
		b.w.broken("I2", "%s serves %.7s in %s, its journal says %+v", n.id, digest, environment, e)
	}
	return e
}

// resumed checks the journal that a starting process has read, and that it
// serves what was active last, whoever leads or does not (I1, I2, I14).
func (b *book) resumed(n *node) {
	last := map[string]activation{}
	lines := bytes.SplitAfter(n.disk.names[journalPath].data, []byte("\n"))
	for _, line := range lines[:len(lines)-1] {
		e, err := half.ParseEntry(line)
		if err != nil {
			b.w.broken("I2", "the journal of %s holds %q: %v", n.id, line, err)
		}
		a, ok := b.activated(e.Environment, e.Epoch, e.ActivationIndex)
		switch {
		case !ok || a.digest != e.Digest:
			b.w.broken("I1", "the journal of %s has %s %d with %.7s, which was not committed so", n.id, e.Environment, e.ActivationIndex, e.Digest)
		case a.before(last[e.Environment]), e.Phase == half.Intent && a == last[e.Environment] && a.index > 0:
			b.w.broken("I1", "the journal of %s activates %s %d after %d", n.id, e.Environment, a.index, last[e.Environment].index)
		}
		last[e.Environment] = a
	}
	for name, a := range last {
		if served := n.registry[name]; served != a.digest && !n.disturbed {
			b.w.broken("I14", "%s starts and serves %.7s in %s, it was told to serve %.7s", n.id, served, name, a.digest)
		}
	}
}

// backwards yields the lines of a journal, the last one first.
func backwards(journal []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(journal) > 0 {
			begin := bytes.LastIndexByte(journal[:len(journal)-1], '\n') + 1
			if !yield(journal[begin:]) {
				return
			}
			journal = journal[:begin]
		}
	}
}
