package sim

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
)

// Config is one run.
type Config struct {
	Seed uint64
	// Fault is planted, to show that the checks find it.
	Fault Fault
	// Traced keeps what happened, line by line.
	Traced bool

	// recorded keeps the harms; without leaves some of them out.
	recorded bool
	without  map[uint64]bool
	// steps ends the harms after so many steps; 0 leaves it to the seed.
	steps int
}

// Violation is a promise that was broken.
type Violation struct {
	// Promise is its name, such as I5, or liveness.
	Promise string
	Message string
}

func (v *Violation) Error() string { return v.Promise + ": " + v.Message }

// Report is what a run came to.
type Report struct {
	Seed      uint64
	Steps     int
	Committed int
	Violation *Violation
	// Trace and its hash are there if the run was traced.
	Trace     []string
	TraceHash uint64
	// Counts are how often each kind of thing happened.
	Counts map[string]int

	harms []harm
}

// String tells a failure, with the end of its trace and how to repeat it.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, step %d: %v\n", r.Seed, r.Steps, r.Violation)
	fmt.Fprintf(&b, "what was done: %s\n", told(r.harms))
	fmt.Fprintf(&b, "run it again, whole: go test ./test/sim -run TestSeeds -seed=%d -v\n", r.Seed)
	lines := r.Trace
	if len(lines) > traceShown {
		fmt.Fprintf(&b, "… %d lines before\n", len(lines)-traceShown)
		lines = lines[len(lines)-traceShown:]
	}
	for _, line := range lines {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// traceShown is how many lines of a trace a failure shows.
const traceShown = 120

// Run plays one seed.
func Run(ctx context.Context, library *Library, config Config) (report Report) {
	w := newWorld(ctx, library, config)
	defer func() {
		report = Report{
			Seed: config.Seed, Steps: w.steps, Committed: len(w.raft.log), Counts: w.counts, harms: w.done,
			Trace: w.trace.lines, TraceHash: w.trace.sum(), Violation: violationOf(recover()),
		}
		for _, n := range w.nodes {
			n.endTasks()
		}
	}()
	w.chaos()
	w.settle()
	return report
}

// violationOf makes a violation of what a run panicked with: a defect of the
// code under test that panics is one as well.
func violationOf(cause any) *Violation {
	switch cause := cause.(type) {
	case nil:
		return nil
	case *Violation:
		return cause
	default:
		return &Violation{Promise: "panic", Message: fmt.Sprintf("%v\n%s", cause, debug.Stack())}
	}
}
