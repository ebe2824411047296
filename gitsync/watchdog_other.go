//go:build unix && !linux

package gitsync

import (
	"context"
	"runtime/debug"
	"syscall"
)

// watchdog has nothing to watch here: only Linux tells a process cheaply what it uses.
type watchdog struct{}

func (watchdog) wait() {}

// limitMemory makes the collector work harder near the limit.
func limitMemory(_ context.Context, bytes int64) watchdog {
	debug.SetMemoryLimit(bytes)
	return watchdog{}
}

// childAttributes put the child into a process group of its own, to be killed as a whole.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
