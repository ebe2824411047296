package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// checkedLog finds entries that are not what was written: raft-boltdb keeps no
// checksums, and a flipped bit would be applied, and replicated, silently. A
// write that fails ends the node. It also times the writes, each an fsync.
type checkedLog struct {
	raft.LogStore
	fuse    *fuse
	writes  atomic.Uint64
	written atomic.Int64 // nanoseconds, of all writes
	// since is when the write that is under way began, in Unix nanoseconds; 0 if none is.
	since atomic.Int64
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

// checksumSize is what an entry on disk has more of: a checksum of the whole
// entry, at the end of its extensions. The one that a command brings with it
// covers its data only, and other entries bring none.
const checksumSize = 4

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func entryChecksum(log *raft.Log, extensions []byte) []byte {
	head := binary.BigEndian.AppendUint64(nil, log.Index)
	head = binary.BigEndian.AppendUint64(head, log.Term)
	head = append(head, byte(log.Type))
	head = binary.BigEndian.AppendUint64(head, uint64(len(log.Data)))
	sum := crc32.Update(0, castagnoli(), head)
	sum = crc32.Update(sum, castagnoli(), log.Data)
	return binary.BigEndian.AppendUint32(nil, crc32.Update(sum, castagnoli(), extensions))
}

// onDisk is an entry as it is stored.
func onDisk(log *raft.Log) *raft.Log {
	stored := *log
	stored.Extensions = slices.Concat(log.Extensions, entryChecksum(log, log.Extensions))
	return &stored
}

// fromDisk makes a stored entry what it was, and reports whether it is undamaged.
// Entries from before the checksum are taken as they are.
func fromDisk(log *raft.Log) bool {
	own := 0
	if log.Type == raft.LogCommand {
		own = sha256.Size
	}
	if len(log.Extensions) == own {
		return intact(log)
	}
	end := len(log.Extensions) - checksumSize
	if end != own || !bytes.Equal(entryChecksum(log, log.Extensions[:end]), log.Extensions[end:]) {
		return false
	}
	if log.Extensions = log.Extensions[:end]; end == 0 {
		log.Extensions = nil
	}
	return intact(log)
}

// GetLog refuses a damaged entry, so that it is neither applied nor replicated:
// the node ends.
func (l *checkedLog) GetLog(index uint64, log *raft.Log) error {
	err := l.read(index, log)
	if errors.Is(err, ErrDamagedLog) {
		return l.fuse.blow(err)
	}
	return err
}

func (l *checkedLog) read(index uint64, log *raft.Log) error {
	err := l.LogStore.GetLog(index, log)
	switch {
	case errors.Is(err, raft.ErrLogNotFound):
		return err
	case err != nil:
		return fmt.Errorf("%w (%w)", damaged(index), err)
	case log.Index != index || !fromDisk(log):
		return damaged(index)
	}
	return nil
}

// StoreLogs adds the checksums, and times the write.
func (l *checkedLog) StoreLogs(logs []*raft.Log) error {
	stored := make([]*raft.Log, len(logs))
	for i, log := range logs {
		stored[i] = onDisk(log)
	}
	start := time.Now()
	l.since.Store(start.UnixNano())
	err := l.fuse.write(logFile, func() error { return l.LogStore.StoreLogs(stored) })
	l.since.Store(0)
	l.writes.Add(1)
	l.written.Add(int64(time.Since(start)))
	return err
}

// writing is how long the write has taken that is under way; 0 if none is.
func (l *checkedLog) writing() time.Duration {
	since := l.since.Load()
	if since == 0 {
		return 0
	}
	return time.Since(time.Unix(0, since))
}

// StoreLog is StoreLogs of one entry.
func (l *checkedLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// DeleteRange deletes what a snapshot has made superfluous, or a leader contradicts.
func (l *checkedLog) DeleteRange(first, last uint64) error {
	return l.fuse.write(logFile, func() error { return l.LogStore.DeleteRange(first, last) })
}

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
		if err := l.read(index, &log); errors.Is(err, raft.ErrLogNotFound) {
			continue // a snapshot that was installed over an older log leaves a gap
		} else if err != nil {
			return err
		}
	}
	return nil
}

func damaged(index uint64) error {
	return fmt.Errorf("%w: %s: entry %d does not match its checksum: %s", ErrDamagedLog, logFile, index, joinAnew)
}

// joinAnew is the remedy for what is damaged on the disk of one node.
const joinAnew = "move the data directory away and let this node join anew"
