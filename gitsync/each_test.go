package gitsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// Several environments are read at the cost of one fetch: each as it is read alone, and each with its own error.
func TestReadEach(t *testing.T) {
	s := newSite(t)
	first := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	files := sample(map[string]string{"environments/lab/metadata.json": "{}"})
	files["environments/broken/link"] = gitserver.File{Mode: "120000", Content: "/etc/passwd"}
	second := s.repo.Commit(gitserver.Change{Files: files})
	var requests []Request
	for _, environment := range []string{"production", "broken", "staging", "nowhere", "lab"} {
		requests = append(requests, Request{Commit: second, Deployed: first, Environment: environment})
	}
	requests[4].Deployed = ""
	for name, m := range map[string]*Mirror{
		"fetched": s.open(s.httpURL(), inChild(t)), "in place": s.open(s.fileURL(), inChild(t)), "here": s.open(s.fileURL()),
	} {
		alone, next := s.open(s.fileURL()), 0
		m.ReadEach(t.Context(), requests, func(i int, got *Reading, err error) {
			if i != next {
				t.Errorf("%s: answer %d in the place of %d", name, i, next)
			}
			next++
			want, wantErr := alone.Read(t.Context(), requests[i])
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || errors.Is(err, ErrRejectedTree) != (i == 1) {
				t.Errorf("%s, %s: %v, alone %v", name, requests[i].Environment, err, wantErr)
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(bytesEqual)); diff != "" {
				t.Errorf("%s, %s (-alone +together):\n%s", name, requests[i].Environment, diff)
			}
		})
		if next != len(requests) {
			t.Errorf("%s: %d answers", name, next)
		}
	}
	if n := s.http.Requests(gitserver.Fetch); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// What fails before anything can be read fails for all at once, and is tried once.
func TestReadEachThatCannotFetch(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	m := s.open(s.httpURL(), inChild(t), func(c *Config) { c.Limits.FetchTimeout = 300 * time.Millisecond })
	requests := []Request{{Commit: sha, Environment: "production"}, {Commit: sha, Environment: "staging"}, {Commit: sha, Environment: "lab"}}
	check := func(ctx context.Context, name string, want error) {
		t.Helper()
		before, answers := s.http.Requests(gitserver.Fetch), 0
		m.ReadEach(ctx, requests, func(_ int, r *Reading, err error) {
			answers++
			if !errors.Is(err, want) || r != nil {
				t.Errorf("%s: %v and %v", name, r, err)
			}
		})
		if n := s.http.Requests(gitserver.Fetch) - before; answers != 3 || n > 1 {
			t.Errorf("%s: %d answers, %d fetches", name, answers, n)
		}
	}
	s.http.Behave(gitserver.Fetch, gitserver.Hang())
	check(t.Context(), "hang", ErrTimeout)
	m.config.Limits.FetchTimeout = time.Minute // what follows answers, on a busy machine too
	s.http.Behave(gitserver.Fetch, gitserver.Status(500))
	check(t.Context(), "status", ErrUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check(ctx, "cancelled", context.Canceled)
	requests[1].Commit = strings.Repeat("1", 40)
	check(t.Context(), "two commits", ErrConfig)
	requests = requests[:0]
	m.ReadEach(t.Context(), requests, func(int, *Reading, error) { t.Error("an answer to nothing") })
}

// BenchmarkReadEach reads a thousand environments that one commit changed.
func BenchmarkReadEach(b *testing.B) {
	const environments = 1000
	root := b.TempDir()
	repo := gitserver.NewRepo(b, root+"/config.git")
	commit := func(text string) string {
		files := map[string]gitserver.File{}
		for i := range environments {
			files[fmt.Sprintf("environments/e%04d/metadata.json", i)] = gitserver.File{Content: fmt.Sprintf(`{"services":[],"n":"%s%d"}`, text, i)}
		}
		return repo.Commit(gitserver.Change{Files: files})
	}
	first := commit("a")
	second := commit("b")
	config := Config{URL: "file://" + repo.Dir, Branch: "main"}
	smallWorker(b)(&config)
	m, err := Open(config)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	var requests []Request
	for i := range environments {
		requests = append(requests, Request{Commit: second, Deployed: first, Environment: fmt.Sprintf("e%04d", i)})
	}
	for b.Loop() {
		m.ReadEach(b.Context(), requests, func(_ int, r *Reading, err error) {
			if err != nil || r.ChangedFiles != environments || r.RelevantFiles != 1 {
				b.Fatal(r, err)
			}
		})
	}
}
