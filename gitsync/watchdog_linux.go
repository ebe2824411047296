package gitsync

import (
	"context"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	memoryCheckPause = 10 * time.Millisecond
	// memoryHeadroom is how far the kernel's limit is above twice ours. It counts address space
	// that is writable, which the Go runtime maps before it uses it; and a runtime that is refused
	// memory crashes, so that this is for what grows faster than the check can see.
	memoryHeadroom = 256 * mib
)

// watchdog owns the goroutine that watches this process's memory.
type watchdog struct{ done chan struct{} }

func (w watchdog) wait() { <-w.done }

// limitMemory keeps this process under a number of bytes of resident memory. The collector is
// told to work harder from four fifths of it; a check every few milliseconds ends the process
// beyond it; and the kernel refuses what grows faster than that.
func limitMemory(ctx context.Context, bytes int64) watchdog {
	debug.SetMemoryLimit(bytes / 5 * 4)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // a dump would hold the secrets
	w := watchdog{done: make(chan struct{})}
	if underRace {
		close(w.done)
		return w
	}
	ceiling := uint64(2*bytes + memoryHeadroom)
	_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: ceiling, Max: ceiling})
	go func() {
		defer close(w.done)
		tick := time.NewTicker(memoryCheckPause)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if residentBytes() > bytes {
				os.Exit(exitMemory)
			}
		}
	}()
	return w
}

// residentBytes is the memory that this process has in use; 0 if that cannot be read.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// childAttributes put the child into a process group of its own, to be killed as a whole, and
// let it die with its parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
