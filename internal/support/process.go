package support

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// Process describes the process itself.
type Process struct {
	PID        int      `json:"pid"`
	Arguments  []string `json:"arguments"`
	Started    string   `json:"started"`
	Now        string   `json:"now"`
	System     string   `json:"system"`
	Go         string   `json:"go"`
	CPUs       int      `json:"cpus"`
	MaxProcs   int      `json:"maxProcs"`
	Goroutines int      `json:"goroutines"`
	// Descriptors are the open files; -1 where the system does not say.
	Descriptors int    `json:"descriptors"`
	HeapBytes   uint64 `json:"heapBytes"`
	SystemBytes uint64 `json:"systemBytes"`
	Collections uint32 `json:"collections"`
	PauseMs     uint64 `json:"pauseMs"`
}

// ThisProcess looks at the process that runs, which began at a time.
func ThisProcess(started, now time.Time) Process {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return Process{
		PID: os.Getpid(), Arguments: os.Args, Started: started.UTC().Format(time.RFC3339), Now: now.UTC().Format(time.RFC3339Nano),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), CPUs: runtime.NumCPU(), MaxProcs: runtime.GOMAXPROCS(0),
		Goroutines: runtime.NumGoroutine(), Descriptors: descriptors(),
		HeapBytes: memory.HeapAlloc, SystemBytes: memory.Sys, Collections: memory.NumGC, PauseMs: memory.PauseTotalNs / 1e6,
	}
}

func descriptors() int {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(open)
}

// Goroutines are the stacks of all of them. They show addresses and numbers, no
// texts.
func Goroutines(name string) File { return profile(name, "goroutine", 2) }

// Heap is the profile of what memory was allocated for, not what is in it; for
// `go tool pprof`.
func Heap(name string) File { return profile(name, "heap", 0) }

func profile(name, which string, detail int) File {
	found := pprof.Lookup(which)
	if found == nil {
		return File{Name: name, Err: fmt.Errorf("this build has no profile %q", which)}
	}
	var content bytes.Buffer
	if err := found.WriteTo(&content, detail); err != nil {
		return File{Name: name, Err: err}
	}
	return Text(name, content.Bytes())
}
