package sim

import (
	"context"
	"fmt"
)

// epochMs is when every run begins, Unix milliseconds.
const epochMs = 1_790_000_000_000

// world is everything of one run.
type world struct {
	ctx     context.Context //nolint:containedctx // one run's, for the product's code
	config  Config
	library *Library
	chances
	queue  queue
	trace  trace
	counts map[string]int
	// done are the harms of the run, if they are recorded.
	done []harm

	began, now int64
	steps      int
	// calm: no more faults; what was broken heals.
	calm bool
	// disturbed: a disk refused something.
	disturbed bool
	calmIndex uint64
	// task is the product's code that runs just now, if some does.
	task *task

	raft    raft
	nodes   []*node
	git     *git
	natures map[string]nature
	callers []*caller
	book    *book
	backups []*backup
	serial  int
}

// nature is what the nodes make of a content that passes its checks.
type nature struct {
	// rejects and fails name nodes: at staging, and when it is verified.
	rejects, fails string
}

func newWorld(ctx context.Context, library *Library, config Config) *world {
	w := &world{
		ctx: ctx, config: config, library: library, chances: newChances(config.Seed),
		counts: map[string]int{}, began: epochMs, now: epochMs,
		git: newGit(), natures: map[string]nature{},
	}
	w.trace.on = config.Traced
	w.book = newBook(w)
	w.populate()
	return w
}

// after plans something, milliseconds from now.
func (w *world) after(ms int64, run func()) { w.queue.push(w.now+ms, w.child(), run) }

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
	w.begin(e.key)
	e.run()
	w.book.check()
	return true
}

// id makes a name that no other thing of this run has.
func (w *world) id(prefix string) string {
	w.serial++
	return fmt.Sprintf("%s-%d", prefix, w.serial)
}
