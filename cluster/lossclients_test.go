package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// clients write and read while a cluster loses its leaders, each with request
// ids of its own that it repeats until it knows what became of them.
type clients struct {
	l    *lab
	seed uint64

	mu    sync.Mutex
	nodes []*Node
	// acknowledged is the first result by request id, newest the highest index of any.
	acknowledged map[string]fsm.Result
	newest       uint64
	doubtful     int
	// broken is the first promise that was seen broken.
	broken string

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Clients of one cluster.
const (
	writers = 3
	readers = 2
	// patience is how long a client repeats a request before that is a failure.
	patience = 60 * time.Second
	// askedAgain is how far back, in entries, writes are repeated at the end.
	askedAgain = 60
)

func (c *clients) begin(l *lab, seed uint64) {
	c.l, c.seed, c.acknowledged = l, seed, map[string]fsm.Result{}
}

func (c *clients) use(n *Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, n)
}

func (c *clients) drop(n *Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = slices.DeleteFunc(c.nodes, func(o *Node) bool { return o == n })
}

func (c *clients) uses(n *Node) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.nodes, n)
}

func (c *clients) any(random *rand.Rand) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.nodes) == 0 {
		return nil
	}
	return c.nodes[random.IntN(len(c.nodes))]
}

// failed reports whether a promise was seen broken.
func (c *clients) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken != ""
}

// report notes a broken promise; the first one counts.
func (c *clients) report(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == "" {
		c.broken = fmt.Sprintf(format, args...)
	}
}

// work starts the clients, rest waits for what they have begun.
func (c *clients) work() {
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	for i := range writers {
		c.running.Go(func() { c.write(ctx, i) })
	}
	for i := range readers {
		c.running.Go(func() { c.read(ctx, i) })
	}
}

func (c *clients) rest() {
	c.stop()
	c.running.Wait()
}

func (c *clients) write(ctx context.Context, number int) {
	random := rand.New(rand.NewPCG(c.seed, uint64(100+number)))
	for k := 0; ctx.Err() == nil; k++ {
		c.insist(random, fmt.Sprintf("%d-%d-%d", c.seed, number, k))
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
	}
}

// insist repeats a request until its outcome is known.
func (c *clients) insist(random *rand.Rand, id string) {
	command, begun, doubt := poll(id), time.Now(), false
	for time.Since(begun) < patience {
		if c.failed() {
			return
		}
		n := c.any(random)
		if n == nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(200+random.IntN(3000))*time.Millisecond)
		result, err := n.Propose(ctx, command)
		cancel()
		if !c.uses(n) {
			doubt = true // it died with the answer
			continue
		}
		if err == nil && result.Err() == nil {
			c.acknowledge(id, result, doubt)
			return
		}
		if err == nil {
			c.report("I3: request %s is refused: %v", id, result.Err())
			return
		}
		doubt = doubt || errors.Is(err, ErrUnknownOutcome)
		time.Sleep(10 * time.Millisecond)
	}
	c.report("I14: request %s has no outcome for %s", id, patience)
}

func (c *clients) acknowledge(id string, result fsm.Result, doubt bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acknowledged[id] = result
	c.newest = max(c.newest, result.Index)
	if doubt {
		c.doubtful++
	}
}

// read asks for linearizable states: each has all that was acknowledged before
// it was asked for (I8), and so a session never goes back (I9).
func (c *clients) read(ctx context.Context, number int) {
	random := rand.New(rand.NewPCG(c.seed, uint64(200+number)))
	last := uint64(0)
	for ctx.Err() == nil {
		time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
		n := c.any(random)
		if n == nil {
			continue
		}
		c.mu.Lock()
		newest := c.newest
		c.mu.Unlock()
		limited, cancel := context.WithTimeout(context.Background(), time.Second)
		state, err := n.Linearize(limited)
		cancel()
		if err != nil || !c.uses(n) {
			continue
		}
		if state.Index() < newest {
			c.report("I8: a read shows index %d when %d was acknowledged", state.Index(), newest)
		}
		if state.Index() < last {
			c.report("I9: a session read index %d after %d", state.Index(), last)
		}
		last = state.Index()
	}
}

// verify checks what is there when everything is healed.
func (r *lossRun) verify() {
	r.t.Helper()
	if r.tasks.overlap.Load() {
		r.report("I15: two leader tasks in one term, or two at once on a node")
	}
	if !r.failed() {
		r.once()
	}
	if !r.failed() {
		r.agree()
	}
	if r.failed() && !r.planted {
		r.t.Error(r.broken)
	}
}

// once: every acknowledged write is there once. Each of them raised a counter,
// which counts them all, and was given a value of its own. The last ones of each
// client are asked again, and answered with their first result (I3).
func (r *lossRun) once() {
	values := map[uint64]string{}
	for id, first := range r.acknowledged {
		if other, twice := values[first.Value]; twice {
			r.report("I3: requests %s and %s were given the same value %d", id, other, first.Value)
		}
		values[first.Value] = id
		if first.Index+askedAgain < r.newest {
			continue
		}
		again, err := r.machines[0].propose(10*time.Second, poll(id))
		if err != nil || !again.Replayed || again.Index != first.Index || again.Value != first.Value {
			r.report("I3: request %s was acknowledged at %d with %d, and now %d with %d, replayed %t: %v",
				id, first.Index, first.Value, again.Index, again.Value, again.Replayed, err)
			return
		}
	}
	state, err := r.machines[0].linear(10 * time.Second)
	if err != nil {
		r.report("I14: a read at rest: %v", err)
		return
	}
	if got := state.Meta().PollGeneration; got != uint64(len(r.acknowledged)) {
		r.report("I3: %d writes were acknowledged, and the state counts %d", len(r.acknowledged), got)
	}
}

// agree: equal indexes have equal hashes (I11).
func (r *lossRun) agree() {
	r.await(30*time.Second, "I11: all have the same index", func() bool {
		first := r.machines[0].node.Store().State().Index()
		return !slices.ContainsFunc(r.machines, func(m *machine) bool { return m.node.Store().State().Index() != first })
	})
	first := r.machines[0].node.Store().State()
	for _, m := range r.machines {
		if s := m.node.Store().State(); s.Index() == first.Index() && s.Hash() != first.Hash() {
			r.report("I11: %s and %s differ at index %d", m.cfg.NodeID, r.machines[0].cfg.NodeID, first.Index())
		}
	}
}
