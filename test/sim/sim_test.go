package sim

import (
	"flag"
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
	seeds   = flag.Int("seeds", 200, "how many seeds TestSeeds runs, from 1")
	oneSeed = flag.Uint64("seed", 0, "the one seed that TestSeeds runs, with its trace")
	workers = flag.Int("workers", runtime.GOMAXPROCS(0), "how many seeds run at once")
)

func TestSeeds(t *testing.T) {
	library, err := NewLibrary()
	if err != nil {
		t.Fatal(err)
	}
	if *oneSeed != 0 {
		r := Run(library, Config{Seed: *oneSeed, Traced: true})
		for _, line := range r.Trace {
			t.Log(line)
		}
		if r.Violation != nil {
			t.Fatal(r.Violation)
		}
		return
	}
	var next atomic.Uint64
	var group sync.WaitGroup
	var mu sync.Mutex
	counts := map[string]int{}
	for range *workers {
		group.Go(func() {
			for !t.Failed() {
				seed := next.Add(1)
				if seed > uint64(*seeds) {
					return
				}
				r := Run(library, Config{Seed: seed})
				mu.Lock()
				counts["steps"] += r.Steps
				counts["committed"] += r.Committed
				for what, n := range r.Counts {
					counts[what] += n
				}
				mu.Unlock()
				if r.Violation != nil {
					t.Error(Run(library, Config{Seed: seed, Traced: true}))
				}
			}
		})
	}
	group.Wait()
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-40s %d", what, counts[what])
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	// A run lives for milliseconds and leaves all of it behind.
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// The same seed does the same things, line by line, whether they are written
// down or not.
func TestSameSeedSameTrace(t *testing.T) {
	library := newLibrary(t)
	for seed := uint64(1); seed <= 20; seed++ {
		first, again := Run(library, Config{Seed: seed, Traced: true}), Run(newLibrary(t), Config{Seed: seed, Traced: true})
		if first.TraceHash != again.TraceHash {
			for i := range first.Trace {
				if i >= len(again.Trace) || first.Trace[i] != again.Trace[i] {
					t.Fatalf("seed %d differs in line %d:\n%s\n%s", seed, i, first.Trace[i], again.Trace[min(i, len(again.Trace)-1)])
				}
			}
			t.Fatalf("seed %d has two traces", seed)
		}
		if silent := Run(library, Config{Seed: seed}); silent.Steps != first.Steps || silent.Committed != first.Committed {
			t.Fatalf("seed %d takes %d steps untraced and %d traced", seed, silent.Steps, first.Steps)
		}
		if first.Violation != nil {
			t.Fatal(first.String())
		}
	}
}
