package gitsync

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// The child gives the same answers, errors included.
func TestChildGivesTheSameAnswers(t *testing.T) {
	s := newSite(t)
	first := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	second := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"environments/production/empty": ""})})
	for _, url := range []string{s.httpURL(), s.fileURL()} {
		here, child := s.open(url), s.open(url, inChild(t))
		for _, request := range []Request{
			{Commit: first, Environment: "production"},
			{Commit: second, Deployed: first, Environment: "production"},
			{Commit: second, Environment: "nowhere"},
		} {
			want, got := read(t, here, request), read(t, child, request)
			if diff := cmp.Diff(want, got, cmp.Comparer(bytesEqual)); diff != "" {
				t.Errorf("%s (-here +child):\n%s", url, diff)
			}
		}
		_, err := child.Read(t.Context(), Request{Commit: strings.Repeat("1", 40), Environment: "production"})
		if !errors.Is(err, ErrCommitNotFound) {
			t.Errorf("%s: no such commit: %v", url, err)
		}
	}
	files := map[string]gitserver.File{"environments/production/link": {Mode: "120000", Content: "x"}}
	bad := s.repo.Commit(gitserver.Change{Files: files})
	_, err := s.open(s.fileURL(), inChild(t)).Read(t.Context(), Request{Commit: bad, Environment: "production"})
	var rejected *RejectedTreeError
	if !errors.As(err, &rejected) || rejected.Path != "environments/production/link" {
		t.Errorf("%v", err)
	}
}

func bytesEqual(a, b []byte) bool { return string(a) == string(b) && (a == nil) == (b == nil) }

// smallWorker builds the child without the race detector and the tests.
func smallWorker(t testing.TB) func(*Config) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gitworker")
	if out, err := exec.Command("go", "build", "-o", path, "./internal/gitworker").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return func(c *Config) { c.Executable = path }
}

// A blob of 110 MiB that arrives as 110 KB: the child stays under its limit or ends with a typed
// error, and the next good commit is read.
func TestChildMemoryLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.repo.Commit(gitserver.Change{Files: sample(nil)})
	worker := smallWorker(t)
	limited := func(c *Config) { c.Limits.FetchMemoryBytes = 64 * mib }
	bomb := func(c *Config) { c.Branch = "bomb" }
	files := sample(nil)
	files["environments/production/zeros"] = gitserver.File{SHA: s.repo.Zeros(110 * mib)}
	sha := s.repo.Commit(gitserver.Change{Files: files, Branch: "bomb"})
	request := Request{Commit: sha, Environment: "production"}
	if _, err := s.open(s.fileURL(), worker, limited, bomb).Read(t.Context(), request); !errors.Is(err, ErrRejectedTree) {
		t.Errorf("read in place: %v", err)
	}
	if _, err := s.open(s.httpURL(), worker, limited, bomb).Read(t.Context(), request); !errors.Is(err, ErrMemory) && !errors.Is(err, ErrRejectedTree) {
		t.Errorf("fetched: %v", err)
	}
	m := s.open(s.httpURL(), worker, limited)
	read(t, m, Request{Commit: head(t, m)})
}

// A server that hangs costs the time limit, and nothing is left running.
func TestChildIsKilled(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	s.http.Behave(gitserver.Fetch, gitserver.Hang())
	m := s.open(s.httpURL(), inChild(t), func(c *Config) { c.Limits.FetchTimeout = 300 * time.Millisecond })
	_, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production"})
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("hang: %v", err)
	}
	if left := children(t); len(left) != 0 {
		t.Errorf("left running: %v", left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Read(ctx, Request{Commit: sha, Environment: "production"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// children lists the worker processes that this process has.
func children(t *testing.T) []string {
	t.Helper()
	statuses, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	var found []string
	for _, file := range statuses {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it just ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) && strings.Contains(string(command), WorkerCommand) {
			found = append(found, string(command))
		}
	}
	return found
}

func TestChildThatFails(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	for name, executable := range map[string]string{
		"does not exist": "/nonexistent", "says nothing": "/bin/true", "fails": "/bin/false", "says something else": "/bin/echo",
	} {
		m := s.open(s.fileURL(), func(c *Config) { c.Executable = executable })
		_, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production"})
		if !errors.Is(err, ErrWorker) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Secrets reach the child by the pipe alone.
func TestChildSecrets(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	s.http.RequireLogin("git", "canary-7261")
	t.Setenv("GIT_TOKEN", "canary-7261")
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	script := filepath.Join(dir, "honua")
	self, err := os.Executable()
	must(t, err)
	must(t, os.WriteFile(script, []byte("#!/bin/sh\n{ echo \"$@\"; env; } >"+seen+"\nexec "+self+" \"$@\"\n"), 0o700))
	m := s.open(s.httpURL(), func(c *Config) {
		c.Executable = script
		c.Credentials = Credentials{Password: "${GIT_TOKEN}"}
	})
	head(t, m)
	read(t, m, Request{Commit: sha})
	text, err := os.ReadFile(seen)
	must(t, err)
	if strings.Contains(string(text), "canary") || strings.Contains(tree(t, m.config.MirrorDir), "canary") {
		t.Errorf("the secret is in the child's arguments or environment:\n%s", text)
	}
}
