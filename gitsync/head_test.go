package gitsync

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// transport is one way to reach a site.
type transport struct {
	name string
	open func(t *testing.T, s *site) *Mirror
}

func transports() []transport {
	return []transport{
		{"file", func(_ *testing.T, s *site) *Mirror { return s.open(s.fileURL()) }},
		{"http v2", func(_ *testing.T, s *site) *Mirror { return s.open(s.httpURL()) }},
		{"http v0", func(_ *testing.T, s *site) *Mirror {
			s.http.SpeakVersion0()
			return s.open(s.httpURL())
		}},
		{"ssh v2", func(t *testing.T, s *site) *Mirror { return openSSH(t, s, gitserver.NewSSH(t)) }},
		{"ssh v0", func(t *testing.T, s *site) *Mirror {
			server := gitserver.NewSSH(t)
			server.SpeakVersion0()
			return openSSH(t, s, server)
		}},
	}
}

func openSSH(t *testing.T, s *site, server *gitserver.SSH) *Mirror {
	t.Helper()
	return s.open("ssh://git@"+server.Address+s.repo.Dir, func(c *Config) {
		c.Credentials = Credentials{SSHKeyFile: server.KeyFile, SSHKnownHostsFile: server.KnownHosts}
	})
}

func TestHead(t *testing.T) {
	for _, transport := range transports() {
		t.Run(transport.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			m := transport.open(t, s)
			if _, err := m.Head(t.Context()); !errors.Is(err, ErrEmptyRepository) {
				t.Fatalf("of an empty repository: %v", err)
			}
			s.repo.Commit(gitserver.Change{Branch: "main2", Files: sample(nil)})
			if _, err := m.Head(t.Context()); !errors.Is(err, ErrBranchNotFound) {
				t.Fatalf("with another branch only: %v", err)
			}
			for i := range 3 {
				want := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"n": string(rune('a' + i))})})
				if got := head(t, m); got != want {
					t.Errorf("Head = %s, want %s", got, want)
				}
			}
			s.repo.DeleteBranch("main")
			if _, err := m.Head(t.Context()); !errors.Is(err, ErrBranchNotFound) {
				t.Errorf("after the branch was deleted: %v", err)
			}
		})
	}
}

// A repository that is away, and then back.
func TestHeadUnavailable(t *testing.T) {
	s := newSite(t)
	want := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	for _, url := range []string{s.fileURL(), s.httpURL()} {
		m := s.open(url)
		if err := os.Rename(s.repo.Dir, s.repo.Dir+".away"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Head(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s away: %v", url, err)
		}
		if err := os.Rename(s.repo.Dir+".away", s.repo.Dir); err != nil {
			t.Fatal(err)
		}
		if got := head(t, m); got != want {
			t.Errorf("%s back: %s", url, got)
		}
	}
}

// A poll that finds nothing new is one request on a connection that stays open.
func TestHeadIsOneRequest(t *testing.T) {
	s := newSite(t)
	s.repo.Commit(gitserver.Change{Files: sample(nil)})
	m := s.open(s.httpURL())
	for range 5 {
		head(t, m)
	}
	if asked, listed := s.http.Requests(gitserver.Advertise), s.http.Requests(gitserver.List); asked != 1 || listed != 5 {
		t.Errorf("%d advertisements and %d listings, want 1 and 5", asked, listed)
	}
}

func gitCommand(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// The forms in which git itself keeps a local branch.
func TestHeadLocalForms(t *testing.T) {
	s := newSite(t)
	want := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	clone := filepath.Join(t.TempDir(), "clone")
	linked := filepath.Join(t.TempDir(), "linked")
	gitCommand(t, s.root, "clone", "-q", s.repo.Dir, clone)
	gitCommand(t, clone, "worktree", "add", "-q", linked, "-b", "feature")
	shared := filepath.Join(t.TempDir(), "shared")
	gitCommand(t, s.root, "clone", "-q", "--shared", s.repo.Dir, shared)
	packed := filepath.Join(t.TempDir(), "packed.git")
	gitCommand(t, s.root, "clone", "-q", "--bare", s.repo.Dir, packed)
	gitCommand(t, packed, "pack-refs", "--all")
	for _, dir := range []string{clone, linked, shared, packed} {
		m := s.open("file://" + dir)
		if got := head(t, m); got != want {
			t.Errorf("%s: Head = %s, want %s", dir, got, want)
		}
		if got := read(t, m, Request{Commit: want}); len(got.Files) != 4 {
			t.Errorf("%s: %d files", dir, len(got.Files))
		}
	}
	gitCommand(t, packed, "symbolic-ref", "refs/heads/live", "refs/heads/main")
	if got := head(t, s.open("file://"+packed, func(c *Config) { c.Branch = "live" })); got != want {
		t.Errorf("symbolic: %s", got)
	}
}

func TestHeadLocalGarbage(t *testing.T) {
	sha := "0123456789012345678901234567890123456789"
	for name, c := range map[string]struct {
		ref  string
		want error
	}{
		"empty file":    {"", ErrGarbage},
		"text":          {"hello\n", ErrGarbage},
		"short":         {sha[:39], ErrGarbage},
		"circle":        {"ref: refs/heads/main", ErrGarbage},
		"out":           {"ref: refs/../../../etc/passwd", ErrGarbage},
		"absolute":      {"ref: /etc/passwd", ErrGarbage},
		"broken target": {"ref: refs/heads/gone", ErrBranchNotFound},
	} {
		s := newSite(t)
		if err := os.WriteFile(filepath.Join(s.repo.Dir, "refs/heads/main"), []byte(c.ref), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.open(s.fileURL()).Head(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
