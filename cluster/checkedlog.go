package cluster

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// checkedLog finds entries that are not what was written: raft-boltdb keeps no
// checksums, and a flipped bit would be applied, and replicated, silently. It
// also times the writes, each of which is an fsync.
type checkedLog struct {
	raft.LogStore
	writes  atomic.Uint64
	written atomic.Int64 // nanoseconds, of all writes
}

// sealed is the log entry of a command with its checksum, which travels and is
// stored with it.
func sealed(data []byte) raft.Log {
	sum := sha256.Sum256(data)
	return raft.Log{Data: data, Extensions: sum[:]}
}

func intact(log *raft.Log) bool {
	if log.Type != raft.LogCommand {
		return true
	}
	sum := sha256.Sum256(log.Data)
	return bytes.Equal(sum[:], log.Extensions)
}

// GetLog refuses a damaged entry, so that it is neither applied nor replicated.
func (l *checkedLog) GetLog(index uint64, log *raft.Log) error {
	if err := l.LogStore.GetLog(index, log); err != nil {
		return err
	}
	if log.Index != index || !intact(log) {
		return damaged(index)
	}
	return nil
}

// StoreLogs times the write.
func (l *checkedLog) StoreLogs(logs []*raft.Log) error {
	start := time.Now()
	err := l.LogStore.StoreLogs(logs)
	l.writes.Add(1)
	l.written.Add(int64(time.Since(start)))
	return err
}

// StoreLog is StoreLogs of one entry.
func (l *checkedLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// verify reads the whole log, before raft does: raft panics where this can
// still tell the operator what to do.
func (l *checkedLog) verify() error {
	first, err := l.FirstIndex()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamagedLog, err)
	}
	last, err := l.LastIndex()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamagedLog, err)
	}
	for index := first; index != 0 && index <= last; index++ {
		var log raft.Log
		if err := l.GetLog(index, &log); errors.Is(err, raft.ErrLogNotFound) {
			continue // a snapshot that was installed over an older log leaves a gap
		} else if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

func damaged(index uint64) error {
	return fmt.Errorf("%w: entry %d does not match its checksum: move the data directory away and let this node join anew", ErrDamagedLog, index)
}
