package hostile

import (
	"path/filepath"
	"testing"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// Environment is the one that is attacked; Neighbour is another one on the same branch.
const (
	Environment = "production"
	Neighbour   = "lab"
	branch      = "main"
	folder      = "environments/" + Environment + "/"
)

// Site is a repository and the server that it is on.
type Site struct {
	T      testing.TB
	Repo   *gitserver.Repo
	Server *gitserver.Server
	// URL is the repository's address.
	URL string
	// Good is the newest commit that is harmless.
	Good string

	commits int
}

// NewSite makes a site with one good commit.
func NewSite(t testing.TB) *Site {
	t.Helper()
	root := t.TempDir()
	s := &Site{T: t, Repo: gitserver.NewRepo(t, filepath.Join(root, "config.git")), Server: gitserver.New(t, root)}
	s.URL = s.Server.URL + "/config.git"
	s.Recover()
	return s
}

// Recover makes the server behave and the branch lead to a good commit again, a new one that follows the last good one.
func (s *Site) Recover() string {
	s.T.Helper()
	s.Server.Atomically(func() {
		s.Server.Reset()
		parents := []string{}
		if s.Good != "" {
			parents = []string{s.Good}
		}
		s.Good = s.Repo.Commit(gitserver.Change{Files: s.Files(nil), Parents: parents})
	})
	return s.Good
}

// attack attacks at once: a poll never finds the branch moved on a server that still behaves.
func (s *Site) attack(a Case) {
	s.Server.Atomically(func() { a.Attack(s) })
}

// Files are a good configuration of both environments, another one each time, with more files over it.
func (s *Site) Files(more map[string]gitserver.File) map[string]gitserver.File {
	s.commits++
	files := map[string]gitserver.File{
		folder + "metadata.json":                       {Content: metadata(s.commits)},
		"environments/" + Neighbour + "/metadata.json": {Content: metadata(s.commits)},
	}
	for path, file := range more {
		files[path] = file
	}
	return files
}

func metadata(n int) string {
	return `{"services": [{"id": "s", "title": "Version ` + string(rune('A'+n%26)) + string(rune('a'+n/26)) + `", "layers": []}]}` + "\n"
}

// Push commits more files over a good configuration, and leaves some out, on the last good commit.
func (s *Site) Push(more map[string]gitserver.File, without ...string) string {
	s.T.Helper()
	files := s.Files(more)
	for _, path := range without {
		delete(files, path)
	}
	return s.Repo.Commit(gitserver.Change{Files: files, Parents: []string{s.Good}})
}

// PushFile commits one more file in the environment's folder.
func (s *Site) PushFile(name string, file gitserver.File) string {
	s.T.Helper()
	return s.Push(map[string]gitserver.File{folder + name: file})
}
