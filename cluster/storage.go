package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	logFile = "raft.db"
	// retainedSnapshots: one more than raft needs, in case the newest is damaged.
	retainedSnapshots = 2
	// cachedEntries exceeds raft's batch of 64, so that replication to a
	// follower that keeps up never reads the disk.
	cachedEntries = 128
	lockTimeout   = 2 * time.Second
)

// storage is what raft keeps on disk.
type storage struct {
	bolt      *raftboltdb.BoltStore
	checked   *checkedLog
	log       raft.LogStore
	votes     *checkedVotes
	snapshots raft.SnapshotStore
	fuse      *fuse
	// leads reports whether the node leads whose storage this is; nil where there is no node, as in a recovery.
	leads func() bool
	// hasState: this directory took part in a cluster before.
	hasState bool
}

// openStorage reads all that is there. After that, a write that fails, or
// something damaged that is read, is told to end; nil leaves it to the caller.
func openStorage(directory string, log *slog.Logger, end func(error)) (*storage, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	if err := checkLogFile(filepath.Join(directory, logFile)); err != nil {
		return nil, err
	}
	bolt, err := raftboltdb.New(raftboltdb.Options{
		Path: filepath.Join(directory, logFile),
		BoltOptions: &bbolt.Options{
			Timeout: lockTimeout,
			// The free list is found again at open; not writing it at every
			// commit saves half of what a commit writes.
			NoFreelistSync: true,
			FreelistType:   bbolt.FreelistMapType,
		},
		MsgpackUseNewTimeFormat: true,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: another process is using %s", ErrDataDirectory, directory)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	s := newStorage(bolt, bolt)
	s.bolt = bolt
	if err := s.open(directory, log); err != nil {
		return nil, errors.Join(err, bolt.Close())
	}
	s.fuse.end = end
	return s, nil
}

// newStorage checks what is kept in stores.
func newStorage(log raft.LogStore, votes raft.StableStore) *storage {
	f := &fuse{}
	return &storage{fuse: f, checked: &checkedLog{LogStore: log, fuse: f}, votes: &checkedVotes{StableStore: votes, fuse: f}}
}

func (s *storage) open(directory string, log *slog.Logger) error {
	if err := errors.Join(s.votes.verify(), s.checked.verify()); err != nil {
		return err
	}
	first, err := s.checked.FirstIndex()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamagedLog, err)
	}
	cache, err := raft.NewLogCache(cachedEntries, s.checked)
	if err != nil {
		return err
	}
	files, err := raft.NewFileSnapshotStoreWithLogger(directory, retainedSnapshots, raftLogger(log))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	snapshots := &checkedSnapshots{FileSnapshotStore: files, directory: directory, fuse: s.fuse}
	s.snapshots = snapshots
	s.log = &boundaryLog{LogStore: cache, end: &snapshots.ended, leads: s.leading}
	if err := os.Chmod(filepath.Join(directory, snapshotFolder), 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	if err := snapshots.verify(first, log); err != nil {
		return err
	}
	if err := snapshots.findEnd(); err != nil {
		return err
	}
	if s.hasState, err = raft.HasExistingState(s.log, s.votes, s.snapshots); err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	return nil
}

func (s *storage) leading() bool { return s.leads != nil && s.leads() }

func (s *storage) close() error {
	if s.bolt == nil {
		return nil // not a file
	}
	return s.bolt.Close()
}
