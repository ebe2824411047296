package gitsync

import (
	"fmt"
	"time"
)

// Limits bounds what one fetch and read may cost. Zero values mean the default.
type Limits struct {
	// MaxFileBytes is the largest file accepted in an environment's folders. Default 16 MiB.
	MaxFileBytes int64
	// MaxBundleBytes bounds the sum of all files of an environment. Default 64 MiB.
	MaxBundleBytes int64
	// MaxFiles bounds the number of files of an environment. Default 10,000.
	MaxFiles int
	// FetchTimeout bounds fetching and reading together, in wall-clock time. Default 60 s.
	FetchTimeout time.Duration
	// FetchMemoryBytes bounds the memory of the child process together with the node that waits for it: a quarter is
	// left to the node. Default 512 MiB, at least 64 MiB.
	FetchMemoryBytes int64
	// MaxTransferBytes bounds what one fetch may send. Default 4 GiB.
	MaxTransferBytes int64
}

const (
	mib = 1 << 20
	gib = 1 << 30

	// minFetchMemory is what the child needs to do anything at all.
	minFetchMemory = 64 * mib
)

// childMemory is what the child process may use.
func (l Limits) childMemory() int64 { return l.FetchMemoryBytes / 4 * 3 }

// withDefaults returns the limits with every zero replaced.
func (l Limits) withDefaults() Limits {
	setDefault(&l.MaxFileBytes, 16*mib)
	setDefault(&l.MaxBundleBytes, 64*mib)
	setDefault(&l.MaxFiles, 10_000)
	setDefault(&l.FetchTimeout, 60*time.Second)
	setDefault(&l.FetchMemoryBytes, 512*mib)
	setDefault(&l.MaxTransferBytes, 4*gib)
	return l
}

func setDefault[T int | int64 | time.Duration](value *T, to T) {
	if *value == 0 {
		*value = to
	}
}

// Validate reports the first limit that cannot work, as ErrConfig.
func (l Limits) Validate() error {
	l = l.withDefaults()
	switch {
	case l.MaxFileBytes < 0, l.MaxBundleBytes < 0, l.MaxFiles < 0, l.FetchTimeout < 0, l.MaxTransferBytes < 0:
		return fmt.Errorf("%w: limits must not be negative", ErrConfig)
	case l.FetchMemoryBytes < minFetchMemory:
		return fmt.Errorf("%w: FetchMemoryBytes must be at least %d", ErrConfig, minFetchMemory)
	}
	return nil
}
