package cluster

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/test/faults"
)

// brittleLog is a disk whose writes fail once it is broken.
type brittleLog struct {
	raft.LogStore
	broken error
	writes int
}

func (b *brittleLog) StoreLogs(logs []*raft.Log) error {
	b.writes++
	if b.broken != nil {
		return b.broken
	}
	return b.LogStore.StoreLogs(logs)
}

func TestFailedWriteIsNeverTriedAgain(t *testing.T) {
	var ends []error
	disk := &brittleLog{LogStore: raft.NewInmemStore(), broken: errors.New("input/output error")}
	f := &fuse{end: func(err error) { ends = append(ends, err) }}
	log := &checkedLog{LogStore: disk, fuse: f}
	votes := &checkedVotes{StableStore: raft.NewInmemStore(), fuse: f}
	if err := log.StoreLog(command(1, "entry")); !errors.Is(err, ErrDiskFailed) || !errors.Is(err, disk.broken) {
		t.Errorf("%v", err)
	}
	disk.broken = nil
	if err := log.StoreLog(command(1, "entry")); !errors.Is(err, ErrDiskFailed) || disk.writes != 1 {
		t.Errorf("%d writes: %v", disk.writes, err)
	}
	if err := votes.SetUint64([]byte("CurrentTerm"), 2); !errors.Is(err, ErrDiskFailed) {
		t.Errorf("the file of the log is written to after a write to it failed: %v", err)
	}
	if len(ends) != 1 || !errors.Is(ends[0], ErrDiskFailed) || !strings.Contains(ends[0].Error(), logFile) {
		t.Errorf("the node was ended with %v", ends)
	}
}

// snapshots makes a log with two snapshots, of index 4 and 8; keep is the first entry that the log still has.
func snapshots(t *testing.T, dir string, keep uint64) (ids []string) {
	t.Helper()
	s := testStorage(t, dir)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, transport := raft.NewInmemTransport("")
	for index := uint64(1); index <= 8; index++ {
		must(s.log.StoreLog(command(index, "entry")))
		if index%4 != 0 {
			continue
		}
		sink, err := s.snapshots.Create(1, index, 1, raft.Configuration{Servers: []raft.Server{{ID: "node1", Address: "10.0.0.1:7701"}}}, 1, transport)
		must(err)
		_, err = io.WriteString(sink, strings.Repeat("the state ", 20))
		must(err)
		must(sink.Close())
		ids = append(ids, sink.ID())
	}
	if keep > 1 {
		must(s.log.DeleteRange(1, keep-1))
	}
	must(s.close())
	return ids
}

// Each bit of a snapshot matters: of its content, and of what it is said to be of.
func TestFlippedBitInASnapshotIsFound(t *testing.T) {
	dir := t.TempDir()
	ids := snapshots(t, dir, 6)
	for _, name := range []string{"state.bin", metaFile, sealFile} {
		path := filepath.Join(dir, snapshotFolder, ids[1], name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := range content {
			if err := faults.FlipBit(path, int64(at), uint(at)); err != nil {
				t.Fatal(err)
			}
			s := &checkedSnapshots{FileSnapshotStore: fileSnapshots(t, dir), directory: dir, fuse: &fuse{}}
			err := s.verify(6, slog.New(slog.DiscardHandler))
			if !errors.Is(err, ErrDamagedSnapshot) || !strings.Contains(err.Error(), ids[1]) || !strings.Contains(err.Error(), joinAnew) {
				t.Errorf("byte %d of %s: %v", at, name, err)
			}
			if err := faults.FlipBit(path, int64(at), uint(at)); err != nil {
				t.Fatal(err)
			}
		}
	}
	testStorage(t, dir).close()
}

func fileSnapshots(t *testing.T, dir string) *raft.FileSnapshotStore {
	t.Helper()
	files, err := raft.NewFileSnapshotStore(dir, retainedSnapshots, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A snapshot that the node may not read, since somebody else wrote it, is not called damaged: it may be all there is.
func TestSnapshotOfSomebodyElseIsNotCalledDamaged(t *testing.T) {
	s := &checkedSnapshots{directory: t.TempDir(), fuse: &fuse{}}
	err := s.damaged("2-7-1", &fs.PathError{Op: "open", Path: "meta.sha256", Err: syscall.EACCES})
	if !errors.Is(err, ErrDataDirectory) || errors.Is(err, ErrDamagedSnapshot) || strings.Contains(err.Error(), joinAnew) || !strings.Contains(err.Error(), s.directory) {
		t.Error(err)
	}
}

func TestDamagedSnapshotIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	ids := snapshots(t, dir, 5) // the log goes on from the older one
	if _, err := faults.FlipIn(filepath.Join(dir, snapshotFolder, ids[1], "state.bin"), "state"); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	s, err := openStorage(dir, slog.New(slog.NewTextHandler(&said, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if !strings.Contains(said.String(), ids[1]) {
		t.Errorf("nothing is said of it: %s", said.String())
	}
	if list, err := s.snapshots.List(); err != nil || len(list) != 1 || list[0].ID != ids[0] {
		t.Errorf("offered to raft: %v, %v", list, err)
	}
	if _, _, err := s.snapshots.Open(ids[1]); !errors.Is(err, ErrDamagedSnapshot) || s.fuse.blown() == nil {
		t.Errorf("it is handed out: %v", err)
	}
	if _, content, err := s.snapshots.Open(ids[0]); err != nil {
		t.Error(err)
	} else if err := content.Close(); err != nil {
		t.Error(err)
	}
}
