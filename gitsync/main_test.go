package gitsync

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// TestMain lets the test binary be its own child process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		os.Exit(WorkerMain(context.Background(), os.Stdin, os.Stdout))
	}
	// The race detector would otherwise keep every child for a second after its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// site is a repository with everything that serves it.
type site struct {
	t    *testing.T
	repo *gitserver.Repo
	http *gitserver.Server
	root string
}

func newSite(t *testing.T) *site {
	t.Helper()
	root := t.TempDir()
	return &site{
		t: t, root: root,
		repo: gitserver.NewRepo(t, filepath.Join(root, "config.git")),
		http: gitserver.New(t, root),
	}
}

func (s *site) httpURL() string { return s.http.URL + "/config.git" }
func (s *site) fileURL() string { return "file://" + s.repo.Dir }

// open opens a mirror of the site; change adjusts its settings.
func (s *site) open(url string, change ...func(*Config)) *Mirror {
	s.t.Helper()
	config := Config{
		URL: url, Branch: "main", MirrorDir: filepath.Join(s.t.TempDir(), "mirror"),
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&config)
	}
	m, err := Open(config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(m.Close)
	return m
}

// inChild makes a mirror use a child process.
func inChild(t *testing.T) func(*Config) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.Executable = self }
}

func read(t *testing.T, m *Mirror, request Request) *Reading {
	t.Helper()
	if request.Environment == "" {
		request.Environment = "production"
	}
	reading, err := m.Read(t.Context(), request)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return reading
}

func head(t *testing.T, m *Mirror) string {
	t.Helper()
	commit, err := m.Head(t.Context())
	if err != nil {
		t.Fatalf("Head: %v", err)
	}
	return commit
}

// sample is a small configuration; more files may be put over it.
func sample(more map[string]string) map[string]gitserver.File {
	files := map[string]string{
		"README.md":                                 "# Configuration\n",
		"environments/production/metadata.json":     `{"services":[]}`,
		"environments/production/datasources.json":  `{"datasources":[]}`,
		"environments/staging/metadata.json":        `{"services":[]}`,
		"environments/common/shared-config.json":    `{}`,
		".gitops/deployment-policy.yaml":            "production:\n  requiresApproval: true\n",
		"environments/production/layers/roads.json": `{}`,
	}
	for path, content := range more {
		files[path] = content
	}
	return gitserver.Texts(files)
}

// time parses a date.
func (s *site) time(date string) time.Time {
	s.t.Helper()
	when, err := time.Parse(time.DateOnly, date)
	if err != nil {
		s.t.Fatal(err)
	}
	return when
}

func paths(files []File) []string {
	var found []string
	for _, file := range files {
		found = append(found, file.Path)
	}
	return found
}
