package sim

import (
	"flag"
	"runtime"
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
	var steps, commits atomic.Int64
	for range *workers {
		group.Go(func() {
			for !t.Failed() {
				seed := next.Add(1)
				if seed > uint64(*seeds) {
					return
				}
				r := Run(library, Config{Seed: seed})
				steps.Add(int64(r.Steps))
				commits.Add(int64(r.Committed))
				if r.Violation != nil {
					t.Error(Run(library, Config{Seed: seed, Traced: true}))
				}
			}
		})
	}
	group.Wait()
	t.Logf("steps %d, commits %d", steps.Load(), commits.Load())
}
