package cluster

import (
	"errors"
	"fmt"
	"sync"

	bolterrors "go.etcd.io/bbolt/errors"
)

// fuse ends the node at the first write to its disk that fails, and at the first
// read of something damaged. What a failed fsync left on the disk is not known,
// and another one that succeeds proves nothing
// (https://wiki.postgresql.org/wiki/Fsync_Errors): nothing is written after it.
type fuse struct {
	// end ends the process; nil where the caller deals with the error.
	end func(error)

	mu   sync.Mutex
	open error
}

// write does a write of a file, unless an earlier one has failed.
func (f *fuse) write(what string, do func() error) error {
	if err := f.blown(); err != nil {
		return err
	}
	err := do()
	if err == nil || errors.Is(err, bolterrors.ErrDatabaseNotOpen) { // the latter: it was closed, in order
		return err
	}
	return f.blow(fmt.Errorf("%w: %s: %w", ErrDiskFailed, what, err))
}

func (f *fuse) blown() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// blow remembers the first reason and ends the node.
func (f *fuse) blow(err error) error {
	f.mu.Lock()
	first := f.open == nil
	if first {
		f.open = err
	}
	f.mu.Unlock()
	if first && f.end != nil {
		f.end(err)
	}
	return err
}
