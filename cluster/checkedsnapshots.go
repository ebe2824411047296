package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/internal/durable"
)

const (
	snapshotFolder = "snapshots"
	metaFile       = "meta.json"
	// sealFile holds the SHA-256 of metaFile: raft checks the content of a
	// snapshot, but not the index and the configuration that it is said to be of.
	sealFile = "meta.sha256"
)

// checkedSnapshots finds snapshots that are not what was written. A write that
// fails ends the node, and so does a snapshot that turns out damaged when it is
// to be sent.
type checkedSnapshots struct {
	*raft.FileSnapshotStore
	directory string
	fuse      *fuse
	// ended is where the newest one ends.
	ended atomic.Pointer[boundary]
	// bad are those that verify found damaged.
	bad map[string]bool
}

// Create begins a snapshot.
func (s *checkedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, transport raft.Transport,
) (raft.SnapshotSink, error) {
	var sink raft.SnapshotSink
	err := s.fuse.write(snapshotFolder, func() (err error) {
		sink, err = s.FileSnapshotStore.Create(version, index, term, configuration, configurationIndex, transport)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &checkedSink{SnapshotSink: sink, store: s, end: boundary{index, term}}, nil
}

// List returns what is not damaged, the newest first.
func (s *checkedSnapshots) List() ([]*raft.SnapshotMeta, error) {
	all, err := s.FileSnapshotStore.List()
	if err != nil {
		return nil, err
	}
	var sound []*raft.SnapshotMeta
	for _, meta := range all {
		if !s.bad[meta.ID] && s.checkSeal(meta.ID) == nil {
			sound = append(sound, meta)
		}
	}
	return sound, nil
}

// Open opens a snapshot whose every byte is right.
func (s *checkedSnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, content, err := s.open(id)
	if errors.Is(err, ErrDamagedSnapshot) {
		err = s.fuse.blow(err)
	}
	return meta, content, err
}

func (s *checkedSnapshots) open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if err := s.checkSeal(id); err != nil {
		return nil, nil, err
	}
	meta, content, err := s.FileSnapshotStore.Open(id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = s.damaged(id, err)
	}
	return meta, content, err
}

// checkSeal compares a snapshot's description with its seal. One from before
// the seal, or of a node that was killed before it was written, has none.
func (s *checkedSnapshots) checkSeal(id string) error {
	directory := filepath.Join(s.directory, snapshotFolder, id)
	want, err := os.ReadFile(filepath.Join(directory, sealFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.damaged(id, err)
	}
	description, err := os.ReadFile(filepath.Join(directory, metaFile))
	if err != nil {
		return s.damaged(id, err)
	}
	if sum := sealOf(description); !bytes.Equal(want, sum) {
		return s.damaged(id, fmt.Errorf("%s does not match %s", metaFile, sealFile))
	}
	return nil
}

func sealOf(description []byte) []byte {
	sum := sha256.Sum256(description)
	return append([]byte(hex.EncodeToString(sum[:])), '\n')
}

func (s *checkedSnapshots) seal(id string) error {
	directory := filepath.Join(s.directory, snapshotFolder, id)
	description, err := os.ReadFile(filepath.Join(directory, metaFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // newer ones have taken its place already
	}
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(directory, sealFile), sealOf(description))
}

// damaged is what is wrong with a snapshot. One that this process may not read
// may be all that is left of a cluster: nothing is said of damage, nor of a new
// beginning.
func (s *checkedSnapshots) damaged(id string, cause error) error {
	if errors.Is(cause, fs.ErrPermission) {
		return fmt.Errorf("%w: %w: let the user that the node runs as own all that is in %s", ErrDataDirectory, cause, s.directory)
	}
	return fmt.Errorf("%w: %s: %w: %s", ErrDamagedSnapshot, filepath.Join(s.directory, snapshotFolder, id), cause, joinAnew)
}

// verify reads all snapshots, before raft does. A damaged one is no reason not
// to start where the log goes on from an older one, or from the beginning: this
// node is then what it was, and says so.
func (s *checkedSnapshots) verify(firstEntry uint64, log *slog.Logger) error {
	entries, err := os.ReadDir(filepath.Join(s.directory, snapshotFolder))
	if err != nil {
		return err
	}
	newest, problems := uint64(0), []error(nil)
	s.bad = map[string]bool{}
	for _, entry := range entries {
		if !entry.IsDir() || filepath.Ext(entry.Name()) == ".tmp" {
			continue
		}
		meta, content, err := s.open(entry.Name())
		if errors.Is(err, ErrDataDirectory) {
			return err
		}
		if err != nil {
			problems = append(problems, s.damagedOnly(entry.Name(), err))
			s.bad[entry.Name()] = true
			continue
		}
		newest = max(newest, meta.Index)
		if err := content.Close(); err != nil {
			return err
		}
	}
	if len(problems) == 0 {
		return nil
	}
	if firstEntry == 0 || firstEntry > newest+1 {
		return errors.Join(problems...)
	}
	for _, problem := range problems {
		log.Error("a snapshot is damaged and not used; this node goes on from an older one and its log", "error", problem)
	}
	return nil
}

// findEnd notes where the newest sound snapshot ends: the one that raft begins with.
func (s *checkedSnapshots) findEnd() error {
	all, err := s.List()
	if err == nil && len(all) > 0 {
		s.ended.Store(&boundary{all[0].Index, all[0].Term})
	}
	return err
}

func (s *checkedSnapshots) damagedOnly(id string, err error) error {
	if errors.Is(err, ErrDamagedSnapshot) {
		return err
	}
	return s.damaged(id, err)
}

// checkedSink is a snapshot that is being written.
type checkedSink struct {
	raft.SnapshotSink
	store *checkedSnapshots
	end   boundary
}

// Write writes a part.
func (s *checkedSink) Write(p []byte) (n int, err error) {
	err = s.store.fuse.write(snapshotFolder, func() (err error) {
		n, err = s.SnapshotSink.Write(p)
		return err
	})
	return n, err
}

// Close puts the snapshot on disk, and its seal.
func (s *checkedSink) Close() error {
	return s.store.fuse.write(snapshotFolder, func() error {
		if err := s.SnapshotSink.Close(); err != nil {
			return err
		}
		if err := s.store.seal(s.ID()); err != nil {
			return err
		}
		s.store.ended.Store(&s.end)
		return nil
	})
}
