package sim

import (
	"fmt"
	"math/rand/v2"
)

// epochMs is when every run begins, Unix milliseconds.
const epochMs = 1_790_000_000_000

// world is everything of one run.
type world struct {
	config  Config
	library *Library
	random  *rand.Rand
	queue   queue
	trace   trace
	counts  map[string]int

	began, now int64
	steps      int
	// calm: no more faults; what was broken heals.
	calm      bool
	calmIndex uint64

	raft    raft
	nodes   []*node
	git     *git
	natures map[string]nature
	callers []*caller
	book    *book
	serial  int
}

// nature is what the nodes make of a content that passes its checks.
type nature struct {
	// rejects and fails name nodes: at staging, and when it is verified.
	rejects, fails string
}

func newWorld(library *Library, config Config) *world {
	w := &world{
		config: config, library: library, random: newRandom(config.Seed),
		counts: map[string]int{}, began: epochMs, now: epochMs,
		git: newGit(), natures: map[string]nature{},
	}
	w.trace.on = config.Traced
	w.book = newBook(w)
	w.populate()
	return w
}

// chance is true with a probability; never once the run is calm.
func (w *world) chance(p float64) bool { return !w.calm && w.random.Float64() < p }

// between returns a number of at least low and at most high.
func (w *world) between(low, high int64) int64 { return low + w.random.Int64N(high-low+1) }

// after plans something, milliseconds from now.
func (w *world) after(ms int64, run func()) { w.queue.push(w.now+ms, run) }

// count notes that something happened, for the coverage of a bulk of runs.
func (w *world) count(what string) { w.counts[what]++ }

// broken ends the run: a promise does not hold.
func (w *world) broken(promise, format string, args ...any) {
	panic(&Violation{Promise: promise, Message: fmt.Sprintf(format, args...)})
}

// step lets the next event happen and checks the promises.
func (w *world) step() bool {
	e, ok := w.queue.pop()
	if !ok {
		return false
	}
	w.now = max(w.now, e.at)
	w.steps++
	e.run()
	w.book.check()
	return true
}

// id makes a name that no other thing of this run has.
func (w *world) id(prefix string) string {
	w.serial++
	return fmt.Sprintf("%s-%d", prefix, w.serial)
}

// pick returns one of several things.
func pick[T any](w *world, things []T) T { return things[w.random.IntN(len(things))] }
