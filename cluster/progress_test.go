package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// What is known of a peer's disk only grows, is of one incarnation, and survives a restart.
func TestProgressIsRemembered(t *testing.T) {
	dir := t.TempDir()
	p, err := openProgress(dir)
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
	again, err := openProgress(dir)
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
	if err := os.WriteFile(filepath.Join(dir, progressFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openProgress(dir); !errors.Is(err, ErrDataDirectory) || !strings.Contains(err.Error(), "delete the file") {
		t.Errorf("of a damaged file it says %v", err)
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
