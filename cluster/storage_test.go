package cluster

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

func testStorage(t *testing.T, dir string) *storage {
	t.Helper()
	s, err := openStorage(dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStorageIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	s := testStorage(t, dir)
	defer s.close()
	if _, err := openIdentity(dir, false); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStorageOfAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	defer testStorage(t, dir).close()
	if _, err := openStorage(dir, slog.New(slog.DiscardHandler), nil); !errors.Is(err, ErrDataDirectory) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("%v", err)
	}
}

func TestHasState(t *testing.T) {
	dir := t.TempDir()
	s := testStorage(t, dir)
	if s.hasState {
		t.Error("an empty directory has state")
	}
	if err := s.bolt.SetUint64([]byte("CurrentTerm"), 3); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	s = testStorage(t, dir)
	defer s.close()
	if !s.hasState {
		t.Error("a term is state")
	}
}

func command(index uint64, data string) *raft.Log {
	log := sealed([]byte(data))
	log.Index, log.Term, log.Type = index, 1, raft.LogCommand
	return &log
}

// flip changes one bit of what a file of the log holds of a text.
func flip(t *testing.T, dir, text string) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, logFile), 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte("logs"))
		return bucket.ForEach(func(k, v []byte) error {
			if i := strings.Index(string(v), text); i >= 0 {
				changed := []byte(string(v))
				changed[i] ^= 1
				return bucket.Put(k, changed)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamagedEntryIsFoundAtStart(t *testing.T) {
	dir := t.TempDir()
	s := testStorage(t, dir)
	err := s.log.StoreLogs([]*raft.Log{
		command(1, "first entry"), command(2, "second entry"), {Index: 3, Term: 1, Type: raft.LogNoop}, command(4, "fourth entry"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	intact := testStorage(t, dir)
	if err := intact.close(); err != nil {
		t.Fatal(err)
	}
	flip(t, dir, "second entry")
	_, err = openStorage(dir, slog.New(slog.DiscardHandler), nil)
	if !errors.Is(err, ErrDamagedLog) || !strings.Contains(err.Error(), "entry 2") {
		t.Errorf("%v", err)
	}
}

func TestDamagedEntryIsNotHandedOut(t *testing.T) {
	inner := raft.NewInmemStore()
	log := &checkedLog{LogStore: inner, fuse: &fuse{}}
	bad := command(1, "entry")
	bad.Data = []byte("Entry")
	if err := log.StoreLogs([]*raft.Log{bad, {Index: 2, Type: raft.LogCommand, Data: []byte("no checksum")}}); err != nil {
		t.Fatal(err)
	}
	for index := uint64(1); index <= 2; index++ {
		if err := log.GetLog(index, &raft.Log{}); !errors.Is(err, ErrDamagedLog) {
			t.Errorf("entry %d: %v", index, err)
		}
	}
	if err := log.GetLog(9, &raft.Log{}); !errors.Is(err, raft.ErrLogNotFound) {
		t.Errorf("an entry that is not there: %v", err)
	}
	if log.writes.Load() != 1 {
		t.Errorf("%d writes were counted", log.writes.Load())
	}
}

func TestIdentity(t *testing.T) {
	open := func(t *testing.T, dir string, hasState bool) *identity {
		t.Helper()
		i, err := openIdentity(dir, hasState)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	for _, test := range []struct {
		name            string
		started, hasLog bool
		sameIncarnation bool
	}{
		{"never ran", false, false, true},
		{"ran and has its log", true, true, true},
		{"ran and lost its log", true, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			first := open(t, dir, false)
			err := first.update(func(c *identityContent) { c.Started, c.ClusterID = test.started, "cluster" })
			if err != nil {
				t.Fatal(err)
			}
			second := open(t, dir, test.hasLog)
			if same := first.get().Incarnation == second.get().Incarnation; same != test.sameIncarnation {
				t.Errorf("the same incarnation: %v", same)
			}
			if kept := second.get().ClusterID == "cluster"; kept != test.sameIncarnation {
				t.Errorf("the cluster's id is kept: %v", kept)
			}
		})
	}
	t.Run("garbage", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityFile), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openIdentity(dir, true); !errors.Is(err, ErrDataDirectory) || !strings.Contains(err.Error(), identityFile) || !strings.Contains(err.Error(), joinAnew) {
			t.Errorf("%v", err)
		}
	})
	t.Run("every bit counts", func(t *testing.T) {
		dir := t.TempDir()
		i := open(t, dir, false)
		if err := i.update(func(c *identityContent) {
			c.Started, c.ClusterID, c.Founders = true, "cluster", map[string]string{"a": "a1"}
		}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, identityFile))
		if err != nil {
			t.Fatal(err)
		}
		everyBitCounts(t, content, func(damaged []byte) (any, bool) { return parseIdentity(damaged) })
	})
	t.Run("of a build before the checksum", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityFile), []byte("{\n  \"incarnation\": \"a1\",\n  \"started\": true\n}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if c := open(t, dir, true).get(); c.Incarnation != "a1" || !c.Started {
			t.Errorf("%+v", c)
		}
	})
}
