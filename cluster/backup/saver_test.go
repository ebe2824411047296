package backup

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// bench is a Saver whose clock and reads a test controls.
type bench struct {
	t       *testing.T
	now     time.Time
	readErr error
	dir     string
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, now: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC), dir: filepath.Join(t.TempDir(), "backups")}
}

func (b *bench) saver(node string, change ...func(*Config)) *Saver {
	b.t.Helper()
	cfg := Config{
		Directory: b.dir, Interval: time.Hour, Keep: 3, ClusterName: "lab", NodeID: node,
		Read:   func(context.Context) (*fsm.State, error) { return fsm.New(), b.readErr },
		Now:    func() time.Time { return b.now },
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) once(s *Saver, want time.Duration) {
	b.t.Helper()
	if wait, err := s.once(b.t.Context()); err != nil || wait != want {
		b.t.Fatalf("the next is due in %s (%v), not %s", wait, err, want)
	}
}

// files are the names of the backups, the newest first.
func (b *bench) files() []string {
	b.t.Helper()
	found, err := list(b.dir, "lab")
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, k := range found {
		names = append(names, filepath.Base(k.path))
	}
	return names
}

// A backup is made when the newest one is as old as the interval, whoever made it and however often processes start.
func TestSavesWhenDue(t *testing.T) {
	b := newBench(t)
	first := b.saver("node1")
	b.once(first, time.Hour)
	b.now = b.now.Add(20 * time.Minute)
	b.once(first, 40*time.Minute)
	b.once(b.saver("node1"), 40*time.Minute) // a restart
	other := b.saver("node2")                // shares the directory
	b.once(other, 40*time.Minute)
	if got := b.files(); len(got) != 1 || got[0] != "honua_lab_20261121T140000.000Z_node1_0.snap" {
		t.Fatalf("there are %v", got)
	}
	b.now = b.now.Add(3 * time.Hour) // nobody ran
	b.once(other, time.Hour)
	b.once(first, time.Hour)
	if got := b.files(); len(got) != 2 || !strings.Contains(got[0], "node2") {
		t.Fatalf("there are %v", got)
	}
	if s := first.Status(); s.Saved != 1 || !s.LastSuccess.Equal(b.now) || s.Overdue(b.now.Add(2*time.Hour)) || !s.Overdue(b.now.Add(2*time.Hour+1)) {
		t.Errorf("%+v", s)
	}
}

// What is kept is whole, private, of this cluster, and no more than asked for; other files stay.
func TestKeepsTheNewest(t *testing.T) {
	b := newBench(t)
	s := b.saver("node1")
	b.once(s, time.Hour)
	others := []string{"notes.txt", "honua_lab_2_20200101T000000.000Z_x_1.snap", "honua_lab_by-hand.snap"}
	for _, name := range append(others, ".honua_lab_20200101T000000.000Z_x_1.snap.77.new") {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		b.now = b.now.Add(time.Hour)
		b.once(s, time.Hour)
	}
	names := b.files()
	if len(names) != 3 || names[0] != "honua_lab_20261121T190000.000Z_node1_0.snap" || names[2] != "honua_lab_20261121T170000.000Z_node1_0.snap" {
		t.Fatalf("there are %v", names)
	}
	for _, name := range names {
		path := filepath.Join(b.dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		state, err := fsm.ReadSnapshot(bytes.NewReader(data))
		if err != nil || state.Hash() != fsm.New().Hash() {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	all, err := os.ReadDir(b.dir)
	if err != nil || len(all) != 3+len(others)+1 { // and the lock
		t.Errorf("there are %v, %v", all, err)
	}
	if info, err := os.Stat(b.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info, err)
	}
}

// A failed attempt is told, leaves nothing behind, and is made again soon; the backups that there are stay.
func TestFailures(t *testing.T) {
	b := newBench(t)
	s := b.saver("node1")
	b.once(s, time.Hour)
	saved := b.now
	b.now = b.now.Add(time.Hour)
	b.readErr = errors.New("no quorum")
	wait, err := s.once(t.Context())
	if wait != retryAfter || err == nil || !strings.Contains(err.Error(), "no quorum") {
		t.Fatalf("%s, %v", wait, err)
	}
	if st := s.Status(); st.Failed != 1 || st.Err == nil || !st.LastSuccess.Equal(saved) || len(b.files()) != 1 {
		t.Errorf("%+v, %v", st, b.files())
	}
	b.readErr = nil
	b.once(s, time.Hour)
	if st := s.Status(); st.Err != nil || st.Saved != 2 {
		t.Errorf("%+v", st)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.saver("node1", func(c *Config) { c.Directory = filepath.Join(file, "in") }).once(t.Context()); err == nil {
		t.Error("a directory that cannot be is no error")
	}
}

// While one process saves, another waits for its turn; that is no failure.
func TestTurns(t *testing.T) {
	b := newBench(t)
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	s := b.saver("node1")
	b.once(s, busyPause)
	if st := s.Status(); st.Err != nil || st.Failed != 0 || len(b.files()) != 0 {
		t.Errorf("%+v", st)
	}
	unlock()
	b.once(s, time.Hour)
}

// A backup with a time in the future, of a clock that was wrong, keeps nobody from saving.
func TestClockThatWasWrong(t *testing.T) {
	b := newBench(t)
	b.now = b.now.Add(1000 * time.Hour)
	b.once(b.saver("node1"), time.Hour)
	b.now = b.now.Add(-999 * time.Hour)
	b.once(b.saver("node1"), time.Hour)
	b.once(b.saver("node1"), time.Hour)
	if got := b.files(); len(got) != 2 {
		t.Errorf("there are %v", got)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.saver("node1").Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"Directory": func(c *Config) { c.Directory = "" }, "Interval": func(c *Config) { c.Interval = time.Millisecond },
		"Keep": func(c *Config) { c.Keep = 0 }, "NodeID": func(c *Config) { c.NodeID = "" },
	} {
		cfg := newBench(t).saver("node1").cfg
		change(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
