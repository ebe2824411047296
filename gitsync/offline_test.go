package gitsync

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

func firstCommit(files map[string]string) FirstCommit {
	first := FirstCommit{
		Branch: "main", Message: "First\n", Author: "Ada", Email: "ada@example.com",
		When: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Files: map[string][]byte{},
	}
	for path, content := range files {
		first.Files[path] = []byte(content)
	}
	return first
}

func TestOffline(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	metadata := "environments/production/metadata.json"
	commit, err := InitRepository(dir, firstCommit(map[string]string{
		metadata: "{}", "environments/common/shared-config.json": "{}", ".gitops/deployment-policy.yaml": "p", "README.md": "r",
	}))
	must(t, err)
	if got, err := (localHead{dir: dir}).head(t.Context(), "main", secrets{}); err != nil || got != commit {
		t.Errorf("head %s, %v, want %s", got, err, commit)
	}
	gitCommand(t, dir, "fsck", "--strict")
	gitCommand(t, dir, "diff", "--exit-code", "HEAD")

	must(t, os.WriteFile(filepath.Join(dir, metadata), []byte("changed"), 0o600))
	files, policy, err := ReadWorkingTree(dir, "production", Limits{})
	must(t, err)
	if string(policy) != "p" || len(files) != 2 || string(files[1].Content) != "changed" {
		t.Errorf("working tree: %v %q", paths(files), policy)
	}
	for _, revision := range []string{"HEAD", "main", commit, commit[:10]} {
		reading, err := ReadRevision(t.Context(), dir, revision, "production", Limits{})
		must(t, err)
		want := []File{{"environments/common/shared-config.json", []byte("{}")}, {metadata, []byte("{}")}}
		if diff := cmp.Diff(want, reading.Files); diff != "" || reading.Commit.SHA != commit {
			t.Errorf("%s: %s", revision, diff)
		}
	}
	gitCommand(t, dir, "commit", "-qam", "Second")
	if reading, err := ReadRevision(t.Context(), dir, "HEAD~1", "production", Limits{}); err != nil || reading.Commit.SHA != commit {
		t.Errorf("HEAD~1: %v", err)
	}
	if _, err := ReadRevision(t.Context(), dir, "nothing", "production", Limits{}); !errors.Is(err, ErrConfig) {
		t.Errorf("no such revision: %v", err)
	}
	if _, err := ReadRevision(t.Context(), t.TempDir(), "HEAD", "production", Limits{}); !errors.Is(err, ErrConfig) {
		t.Errorf("no repository: %v", err)
	}
	if _, _, err := ReadWorkingTree(dir, "nowhere", Limits{}); !errors.Is(err, ErrConfig) {
		t.Errorf("no environment: %v", err)
	}
	must(t, os.Symlink("metadata.json", filepath.Join(dir, "environments/production/link")))
	if _, _, err := ReadWorkingTree(dir, "production", Limits{}); !errors.Is(err, ErrRejectedTree) {
		t.Errorf("a link: %v", err)
	}
}

// Nothing of what is in the folder is changed.
func TestInitRepositoryRefuses(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("mine"), 0o600))
	for name, first := range map[string]FirstCommit{
		"existing file": firstCommit(map[string]string{"README.md": "x", "a": "y"}),
		"outside":       firstCommit(map[string]string{"../x": "y", "a": "y"}),
		"branch":        {Branch: "a b"},
	} {
		if _, err := InitRepository(dir, first); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
	if _, err := InitRepository(dir, firstCommit(map[string]string{"a": "y"})); err != nil {
		t.Errorf("beside other files: %v", err)
	}
	if _, err := InitRepository(dir, firstCommit(map[string]string{"b": "y"})); !errors.Is(err, ErrConfig) {
		t.Errorf("twice: %v", err)
	}
}

func TestOriginOf(t *testing.T) {
	for text, want := range map[string]string{
		"[remote \"origin\"]\n\turl = https://example.com/r\n":                                            "https://example.com/r",
		"[remote \"other\"]\n\turl = https://other\n[remote  \"origin\"]\nfetch = x\nurl=git@host:path\n": "git@host:path",
		"[remote \"origin\"]\n\turl = \"/srv/config\"\n":                                                  "file:///srv/config",
		"[core]\n\tbare = false\n":                                                                        "",
	} {
		dir := t.TempDir()
		must(t, os.MkdirAll(filepath.Join(dir, ".git", "objects"), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, ".git", "config"), []byte(text), 0o600))
		got, err := OriginOf(dir)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := OriginOf(t.TempDir()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no repository: %v", err)
	}
}

// A shallow clone, as build servers make it, can be read; its history is known to be cut.
func TestShallowClone(t *testing.T) {
	s := newSite(t)
	s.repo.Commit(gitserver.Change{Files: sample(nil)})
	tip := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"x": ""})})
	clone := filepath.Join(t.TempDir(), "clone")
	gitCommand(t, s.root, "clone", "-q", "--depth", "1", s.fileURL(), clone)
	reading, err := ReadRevision(t.Context(), clone, "HEAD", "production", Limits{})
	must(t, err)
	if reading.Commit.SHA != tip || len(reading.Files) != 4 || !reading.Truncated {
		t.Errorf("%s, %d files, truncated %v", reading.Commit.SHA, len(reading.Files), reading.Truncated)
	}
}
