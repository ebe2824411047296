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
