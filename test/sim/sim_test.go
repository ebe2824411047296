package sim

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seeds   = flag.Int("seeds", 1000, "how many seeds TestSeeds runs, from -from on")
	from    = flag.Uint64("from", 1, "the first seed of TestSeeds")
	oneSeed = flag.Uint64("seed", 0, "the one seed that TestSeeds runs, with its trace")
	workers = flag.Int("workers", runtime.GOMAXPROCS(0), "how many seeds run at once")
)

// Every promise holds in every run, and every run comes to rest in step with
// its repository.
func TestSeeds(t *testing.T) {
	library := newLibrary(t)
	if *oneSeed != 0 {
		r := Run(t.Context(), library, Config{Seed: *oneSeed, Traced: true})
		for _, line := range r.Trace {
			fmt.Println(line)
		}
		if r.Violation != nil {
			t.Fatal(r.Violation)
		}
		return
	}
	b := &bulk{library: library, counts: map[string]int{}}
	b.next.Store(*from)
	var group sync.WaitGroup
	for range *workers {
		group.Go(func() { b.work(t) })
	}
	group.Wait()
	for _, what := range slices.Sorted(maps.Keys(b.counts)) {
		t.Logf("%-40s %d", what, b.counts[what])
	}
}

// bulk is many runs on all cores.
type bulk struct {
	library *Library
	next    atomic.Uint64

	mu     sync.Mutex
	counts map[string]int
}

func (b *bulk) work(t *testing.T) {
	for !t.Failed() {
		seed := b.next.Add(1) - 1
		if seed >= *from+uint64(*seeds) {
			return
		}
		r := Run(t.Context(), b.library, Config{Seed: seed})
		b.add(r)
		if r.Violation != nil {
			t.Error(Shrink(t.Context(), b.library, r, Config{Seed: seed}))
		}
	}
}

func (b *bulk) add(r Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts["runs"]++
	b.counts["steps"] += r.Steps
	b.counts["committed"] += r.Committed
	for what, n := range r.Counts {
		b.counts[what] += n
	}
}

// The same seed does the same things, line by line, whether they are written
// down or not.
func TestSameSeedSameTrace(t *testing.T) {
	library := newLibrary(t)
	for seed := uint64(1); seed <= 8; seed++ {
		first, again := Run(t.Context(), library, Config{Seed: seed, Traced: true}), Run(t.Context(), newLibrary(t), Config{Seed: seed, Traced: true})
		if first.TraceHash != again.TraceHash {
			for i := range first.Trace {
				if i >= len(again.Trace) || first.Trace[i] != again.Trace[i] {
					t.Fatalf("seed %d differs in line %d:\n%s\n%s", seed, i, first.Trace[i], again.Trace[min(i, len(again.Trace)-1)])
				}
			}
			t.Fatalf("seed %d has two traces", seed)
		}
		if silent := Run(t.Context(), library, Config{Seed: seed}); silent.Steps != first.Steps || silent.Committed != first.Committed {
			t.Fatalf("seed %d takes %d steps untraced and %d traced", seed, silent.Steps, first.Steps)
		}
		if first.Violation != nil {
			t.Fatal(first.String())
		}
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	// A run lives for milliseconds and leaves all of it behind.
	debug.SetGCPercent(2000)
	os.Exit(m.Run())
}
