package sim

import (
	"fmt"
	"hash/fnv"
)

// trace is what happened, line by line. It is off in bulk runs: the same seed
// writes it when somebody wants to read it.
type trace struct {
	on    bool
	lines []string
}

// sum identifies the whole trace.
func (t *trace) sum() uint64 {
	h := fnv.New64a()
	for _, line := range t.lines {
		_, _ = h.Write([]byte(line)) // a hash takes everything
		_, _ = h.Write([]byte{'\n'})
	}
	return h.Sum64()
}

// say writes a line of the trace.
func (w *world) say(format string, args ...any) {
	if !w.trace.on {
		return
	}
	line := fmt.Sprintf(format, args...)
	w.trace.lines = append(w.trace.lines, fmt.Sprintf("%4d %8.3fs %s", w.steps, float64(w.now-w.began)/1000, line))
}
