package sim

import (
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

	requests   []*request
	executions map[string]execution
	records    map[string]string
	votes      map[string][]vote
	overrides  map[string]bool
	completed  map[string]bool
	begun      map[uint64]bool
	// activations are the committed ones, by environment and index.
	activations map[string][]activation
	// performed is the newest activation of each incarnation and environment.
	performed map[string]uint64
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
	index              uint64
	deployment, digest string
	commit             string
}

func newBook(w *world) *book {
	state := fsm.New()
	return &book{
		w: w, states: []*fsm.State{state}, hashes: map[uint64][32]byte{}, results: []fsm.Result{{}},
		executions: map[string]execution{}, records: map[string]string{}, votes: map[string][]vote{},
		overrides: map[string]bool{}, completed: map[string]bool{}, begun: map[uint64]bool{},
		activations: map[string][]activation{}, performed: map[string]uint64{}, heads: map[string]bool{}, polls: map[string]int{},
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
func (b *book) activated(environment string, index uint64) (activation, bool) {
	list := b.activations[environment]
	if index == 0 || index > uint64(len(list)) {
		return activation{}, false
	}
	return list[index-1], true
}

// check runs after every step: what is served is one activated content, whole (I6).
func (b *book) check() {
	for _, n := range b.w.nodes {
		if !n.up {
			continue
		}
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
func (b *book) swapped(n *node, e half.Entry) {
	a, ok := b.activated(e.Environment, e.ActivationIndex)
	if !ok || a.digest != e.Digest || a.commit != e.Commit || a.deployment != e.Deployment {
		b.w.broken("I1", "%s activates %s %d with %.7s, which was not committed so", n.id, e.Environment, e.ActivationIndex, e.Digest)
	}
	if err := n.load(e.Digest); err != nil {
		b.w.broken("I6", "%s serves a content that its disk does not hold: %v", n.id, err)
	}
	key := e.Incarnation + "/" + e.Environment
	last := b.performed[key]
	switch e.Phase {
	case half.Intent:
		if e.ActivationIndex == last {
			b.w.broken("I2", "%s activates %s %d twice", n.id, e.Environment, last)
		}
		if e.ActivationIndex < last {
			b.w.broken("I1", "%s activates %s %d after %d", n.id, e.Environment, e.ActivationIndex, last)
		}
	default:
		if e.ActivationIndex < last {
			b.w.broken("I1", "%s resumes %s at %d, it served %d", n.id, e.Environment, e.ActivationIndex, last)
		}
	}
	b.announced(n, e)
	b.performed[key] = e.ActivationIndex
}

// announced checks that the journal says, safely on disk, what happens now (I2).
func (b *book) announced(n *node, e half.Entry) {
	line := lastLine(n.disk.journal)
	written, err := half.ParseEntry(line)
	if err != nil || written != e {
		b.w.broken("I2", "%s swaps %s to %d, its journal says %q", n.id, e.Environment, e.ActivationIndex, line)
	}
}

// replayed checks a journal that a starting process has read (I1, I2).
func (b *book) replayed(n *node, entries []half.Entry) {
	last := map[string]uint64{}
	for _, e := range entries {
		a, ok := b.activated(e.Environment, e.ActivationIndex)
		if !ok || a.digest != e.Digest {
			b.w.broken("I1", "the journal of %s has %s %d with %.7s, which was not committed so", n.id, e.Environment, e.ActivationIndex, e.Digest)
		}
		if e.Phase != half.Active {
			continue
		}
		if e.ActivationIndex <= last[e.Environment] {
			b.w.broken("I1", "the journal of %s activates %s %d after %d", n.id, e.Environment, e.ActivationIndex, last[e.Environment])
		}
		last[e.Environment] = e.ActivationIndex
	}
}

func (b *book) crashed(*node) {}

func lastLine(journal []byte) []byte {
	if len(journal) == 0 {
		return nil
	}
	end := len(journal) - 1
	begin := end
	for begin > 0 && journal[begin-1] != '\n' {
		begin--
	}
	return journal[begin:]
}
