package cluster

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// What is known of a peer's disk only grows, is of one incarnation, and survives a restart.
func TestProgressIsRemembered(t *testing.T) {
	dir := t.TempDir()
	p, err := openProgress(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p.note("a", "a1", standing{5, 100})
	p.note("a", "a1", standing{4, 120})
	p.note("b", "", standing{9, 9})
	if got := p.of("a", "a1"); got != (standing{5, 120}) {
		t.Errorf("%+v", got)
	}
	if err := p.save(); err != nil {
		t.Fatal(err)
	}
	again, err := openProgress(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.of("a", "a1"); got != (standing{5, 120}) {
		t.Errorf("after a restart: %+v", got)
	}
	if again.of("a", "a2") != (standing{}) || again.of("b", "") != (standing{}) {
		t.Error("another incarnation is taken for the one that is known")
	}
	again.note("a", "a2", standing{6, 7})
	if again.of("a", "a1") != (standing{}) || again.of("a", "a2") != (standing{6, 7}) {
		t.Error("a new incarnation does not begin anew")
	}
}

// everyBitCounts flips one bit of a file after the other: with none of them it may still be read.
func everyBitCounts(t *testing.T, content []byte, read func([]byte) (any, bool)) {
	t.Helper()
	for at := range content {
		for bit := range 8 {
			damaged := bytes.Clone(content)
			damaged[at] ^= 1 << bit
			if what, ok := read(damaged); ok {
				t.Fatalf("bit %d at %d is flipped, and it reads %+v", bit, at, what)
			}
		}
	}
}

// Every bit counts: what is damaged is forgotten, and said, whatever else it may look like. A number that is too high
// would have a peer give up a disk that is sound. What builds before the checksums wrote is read.
func TestDamagedProgressIsForgotten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, progressFile)
	quiet := slog.New(slog.DiscardHandler)
	p, err := openProgress(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	p.note("a", "a1", standing{5, 100})
	p.note("b", "b1", standing{5, 107})
	if err := p.save(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	everyBitCounts(t, content, func(damaged []byte) (any, bool) { return parseProgress(damaged) })
	for name, content := range map[string]string{"empty": "", "cut": string(content[:len(content)/2]), "null": "null\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		p, err := openProgress(dir, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil || len(p.peers) > 0 || !strings.Contains(said.String(), path) {
			t.Errorf("%s: %v, %v, %q", name, p, err, said.String())
		}
	}
	before := "{\n  \"a\": {\n    \"incarnation\": \"a1\",\n    \"term\": 5,\n    \"index\": 100\n  }\n}\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := openProgress(dir, quiet); err != nil || p.of("a", "a1") != (standing{5, 100}) {
		t.Errorf("of an earlier build: %v, %v", p, err)
	}
}

// Only what can't be taken back counts: entries of the leader's log that are committed.
func TestWhatAnAnswerShows(t *testing.T) {
	entries := make([]*raft.Log, 3)
	for name, test := range map[string]struct {
		args raft.AppendEntriesRequest
		resp raft.AppendEntriesResponse
		want standing
	}{
		"a heartbeat":       {raft.AppendEntriesRequest{}, raft.AppendEntriesResponse{Term: 3, LastLog: 90, Success: true}, standing{3, 0}},
		"more than decided": {raft.AppendEntriesRequest{PrevLogEntry: 10, Entries: entries, LeaderCommitIndex: 11}, raft.AppendEntriesResponse{Term: 3, Success: true}, standing{3, 11}},
		"less than decided": {raft.AppendEntriesRequest{PrevLogEntry: 10, Entries: entries, LeaderCommitIndex: 99}, raft.AppendEntriesResponse{Term: 3, Success: true}, standing{3, 13}},
		"refused":           {raft.AppendEntriesRequest{PrevLogEntry: 10, LeaderCommitIndex: 99}, raft.AppendEntriesResponse{Term: 4, LastLog: 5}, standing{4, 0}},
	} {
		if got := held(&test.args, &test.resp); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
