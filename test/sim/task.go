package sim

import (
	"iter"
	"slices"
)

// task is code of the product that waits for the disk or for a data source. It
// runs on simulated time: while it waits, other things happen, and its process
// may die under it.
type task struct {
	n     *node
	next  func() (int64, bool)
	stop  func()
	yield func(int64) bool
	// running: it is what runs now, or waits for a task that it began or woke.
	running bool
	over    bool
}

// died is what a task unwinds with when its process is gone.
type died struct{}

// run begins a task of a node's present process.
func (n *node) run(work func()) {
	t := &task{n: n}
	t.next, t.stop = iter.Pull(func(yield func(int64) bool) {
		t.yield = yield
		defer func() {
			if cause := recover(); cause != nil && cause != (died{}) {
				panic(cause)
			}
		}()
		work()
	})
	n.tasks = append(n.tasks, t)
	t.resume()
}

// resume goes on with a task until it waits again.
func (t *task) resume() {
	w := t.n.w
	outer := w.task
	w.task, t.running = t, true
	ms, waits := t.next()
	w.task, t.running = outer, false
	if !waits {
		t.over = true
		t.n.tasks = slices.DeleteFunc(t.n.tasks, func(o *task) bool { return o == t })
	} else {
		w.after(ms, func() {
			if !t.over {
				t.resume()
			}
		})
	}
	outer.survive() // the process may have died in the inner task
}

// sleep lets time pass for the running task.
func (w *world) sleep(ms int64) {
	t := w.task
	if t == nil || ms <= 0 {
		return
	}
	if !t.yield(ms) {
		panic(died{})
	}
	t.survive()
}

// survive unwinds a task whose process is gone.
func (t *task) survive() {
	if t != nil && t.over {
		panic(died{})
	}
}

// endTasks is what the death of a process does to its tasks. The one that runs
// just now, and those that wait for it to go on, unwind when they next touch the
// world: to stop them from here would leave this one in the middle of the death.
func (n *node) endTasks() {
	tasks := n.tasks
	n.tasks = nil
	for _, t := range tasks {
		t.over = true
		if !t.running {
			t.stop()
		}
	}
}
