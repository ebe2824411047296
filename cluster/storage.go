package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
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
	snapshots raft.SnapshotStore
	// hasState: this directory took part in a cluster before.
	hasState bool
}

func openStorage(directory string, logger hclog.Logger) (*storage, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDirectory, err)
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
	s := &storage{bolt: bolt, checked: &checkedLog{LogStore: bolt}}
	if err := s.open(directory, logger); err != nil {
		return nil, errors.Join(err, bolt.Close())
	}
	return s, nil
}

func (s *storage) open(directory string, logger hclog.Logger) error {
	if err := s.checked.verify(); err != nil {
		return err
	}
	cache, err := raft.NewLogCache(cachedEntries, s.checked)
	if err != nil {
		return err
	}
	s.log = cache
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(directory, retainedSnapshots, logger)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	s.snapshots = snapshots
	if err := os.Chmod(filepath.Join(directory, "snapshots"), 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	if s.hasState, err = raft.HasExistingState(s.log, s.bolt, s.snapshots); err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	return nil
}

func (s *storage) close() error { return s.bolt.Close() }
