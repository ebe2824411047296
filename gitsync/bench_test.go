package gitsync

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

func benchSite(b *testing.B, files int) (*gitserver.Repo, *gitserver.Server) {
	b.Helper()
	root := b.TempDir()
	repo := gitserver.NewRepo(b, filepath.Join(root, "config.git"))
	contents := sample(nil)
	for i := range files {
		contents[fmt.Sprintf("environments/production/layers/%05d.json", i)] = gitserver.File{Content: fmt.Sprintf(`{"n":%d}`, i)}
	}
	repo.Commit(gitserver.Change{Files: contents})
	return repo, gitserver.New(b, root)
}

func benchMirror(b *testing.B, url string, change ...func(*Config)) *Mirror {
	b.Helper()
	c := Config{URL: url, Branch: "main", MirrorDir: filepath.Join(b.TempDir(), "mirror")}
	for _, f := range change {
		f(&c)
	}
	m, err := Open(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(m.Close)
	return m
}

// BenchmarkHead polls; the server's own processes are not in the CPU time, but its goroutines
// are.
func BenchmarkHead(b *testing.B) {
	repo, server := benchSite(b, 0)
	for name, url := range map[string]string{"file": "file://" + repo.Dir, "http": server.URL + "/config.git"} {
		b.Run(name, func(b *testing.B) {
			m := benchMirror(b, url)
			before := cpuTime(b)
			for b.Loop() {
				if _, err := m.Head(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkRead reads one commit after the other, each fetched by a child process.
func BenchmarkRead(b *testing.B) {
	for _, files := range []int{5, 10_000} {
		repo, server := benchSite(b, files)
		worker := smallWorker(b)
		for name, url := range map[string]string{"file": "file://" + repo.Dir, "http": server.URL + "/config.git"} {
			b.Run(fmt.Sprintf("%s/%d files", name, files), func(b *testing.B) {
				m := benchMirror(b, url, worker, func(c *Config) { c.Limits.MaxFiles = 20_000 })
				request := Request{Environment: "production", Commit: repo.Head("main")}
				if _, err := m.Read(b.Context(), request); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					b.StopTimer()
					request.Deployed = request.Commit
					request.Commit = repo.Commit(gitserver.Change{Tree: treeOf(b, repo)})
					b.StartTimer()
					if _, err := m.Read(b.Context(), request); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// treeOf returns the tree of the branch's head.
func treeOf(b *testing.B, repo *gitserver.Repo) string {
	b.Helper()
	store, err := openObjects(layout{common: repo.Dir, own: repo.Dir}, "")
	if err != nil {
		b.Fatal(err)
	}
	defer store.close()
	c, err := store.commit(plumbing.NewHash(repo.Head("main")))
	if err != nil {
		b.Fatal(err)
	}
	return c.tree.String()
}
