package sim

import (
	"context"
	"fmt"
	"strings"
)

// shrinkRuns bounds how often a failing run is played again to make it smaller.
const shrinkRuns = 400

// shrinker looks for the few harms that a violation takes: it leaves out ever
// smaller parts of what was done as long as the same promise breaks.
type shrinker struct {
	ctx     context.Context //nolint:containedctx // one shrinking's, for the runs
	library *Library
	config  Config
	promise string
	runs    int
}

// Shrink plays a failing run again without most of what was done in it. It
// returns the smallest run found that breaks the same promise, traced: the run
// itself if nothing can be left out.
func Shrink(ctx context.Context, library *Library, failed Report, config Config) Report {
	s := &shrinker{ctx: ctx, library: library, config: config, promise: failed.Violation.Promise}
	s.config.recorded, s.config.Traced, s.config.without = true, false, map[uint64]bool{}
	best, ok := s.play(nil, 0)
	if !ok {
		return failed // it does not break twice: the trace of the first time is all there is
	}
	best = s.shorten(best)
	for part := (len(best.harms) + 1) / 2; part > 0; {
		smaller, found := s.without(best, part)
		if found {
			best = smaller
		}
		if !found || part > len(best.harms) {
			part /= 2
		}
		if s.runs >= shrinkRuns {
			break
		}
	}
	s.config.Traced = true
	return Run(s.ctx, s.library, s.config)
}

// play runs with some more harms left out, and reports whether the promise
// still breaks. If it does, they stay out.
func (s *shrinker) play(out []harm, steps int) (Report, bool) {
	s.runs++
	config := s.config
	config.without = map[uint64]bool{}
	for id := range s.config.without {
		config.without[id] = true
	}
	for _, h := range out {
		config.without[h.id] = true
	}
	if steps > 0 {
		config.steps = steps
	}
	r := Run(s.ctx, s.library, config)
	if r.Violation == nil || r.Violation.Promise != s.promise {
		return r, false
	}
	s.config = config
	return r, true
}

// shorten lets everything heal as early as it can.
func (s *shrinker) shorten(best Report) Report {
	low, high := 1, best.Steps
	for low < high && s.runs < shrinkRuns/4 {
		middle := (low + high) / 2
		if r, ok := s.play(nil, middle); ok {
			best, high = r, middle
		} else {
			low = middle + 1
		}
	}
	return best
}

// without leaves out one part of the harms after the other.
func (s *shrinker) without(best Report, part int) (Report, bool) {
	found := false
	for begin := 0; begin < len(best.harms) && s.runs < shrinkRuns; {
		end := min(begin+part, len(best.harms))
		if r, ok := s.play(best.harms[begin:end], 0); ok {
			best, found = r, true
			continue // what comes next has moved to this place
		}
		begin = end
	}
	return best, found
}

// told is what was done in a run, each kind with how often.
func told(harms []harm) string {
	counts := map[string]int{}
	var order []string
	for _, h := range harms {
		if counts[h.what]++; counts[h.what] == 1 {
			order = append(order, h.what)
		}
	}
	for i, what := range order {
		order[i] = fmt.Sprintf("%s: %d", what, counts[what])
	}
	return strings.Join(order, ", ")
}
