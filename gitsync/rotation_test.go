package gitsync

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// replace puts another content in the place of a file, as those who rotate keys do.
func replace(t *testing.T, path string, content []byte) {
	t.Helper()
	must(t, os.WriteFile(path+".new", content, 0o600))
	must(t, os.Rename(path+".new", path))
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// both polls and reads, in a child process, and fails the test unless both come to an error, nil for none.
func both(t *testing.T, m *Mirror, commit string, want error) {
	t.Helper()
	_, headErr := m.Head(t.Context())
	_, readErr := m.Read(t.Context(), Request{Commit: commit, Environment: "production"})
	for _, err := range []error{headErr, readErr} {
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
}

// A mirror that is open takes an SSH key and known hosts as their files are at each connection.
func TestSSHFilesAreReadEachTime(t *testing.T) {
	s := newSite(t)
	commit := func() string {
		return s.repo.Commit(gitserver.Change{Files: sample(nil), Message: s.repo.Head("main")})
	}
	server := gitserver.NewSSH(t)
	good, hosts := content(t, server.KeyFile), content(t, server.KnownHosts)
	gitserver.NewKey(t, server.KeyFile+".stranger")
	stranger := content(t, server.KeyFile+".stranger")
	m := s.open("ssh://git@"+server.Address+s.repo.Dir, inChild(t), func(c *Config) {
		c.Credentials = Credentials{SSHKeyFile: server.KeyFile, SSHKnownHostsFile: server.KnownHosts}
	})
	both(t, m, commit(), nil)
	replace(t, server.KeyFile, stranger)
	both(t, m, commit(), ErrAuth)
	replace(t, server.KeyFile, good)
	both(t, m, commit(), nil)
	replace(t, server.KnownHosts, nil)
	both(t, m, commit(), ErrHostKey)
	replace(t, server.KnownHosts, hosts)
	both(t, m, commit(), nil)
	must(t, os.Chmod(server.KeyFile, 0o644))
	both(t, m, commit(), ErrConfig)
	must(t, os.Chmod(server.KeyFile, 0o600))
	both(t, m, commit(), nil)
}

// A token in a file, or in the environment, is the one of the moment in each request; the connection that polls keep
// open is none that stays logged in.
func TestTokenFilesAreReadEachTime(t *testing.T) {
	s := newSite(t)
	token := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte("first-token\n"), 0o600))
	s.http.RequireLogin("git", "first-token")
	m := s.open(s.httpURL(), inChild(t), func(c *Config) {
		c.Credentials = Credentials{Username: "git", Password: "${file:" + token + "}"}
	})
	commit := func() string {
		return s.repo.Commit(gitserver.Change{Files: sample(nil), Message: s.repo.Head("main")})
	}
	both(t, m, commit(), nil)
	s.http.RequireLogin("git", "second-token")
	both(t, m, commit(), ErrAuth)
	replace(t, token, []byte("second-token\n"))
	both(t, m, commit(), nil)
	must(t, os.Remove(token))
	_, err := m.Head(t.Context())
	if !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "second-token") {
		t.Errorf("%v", err)
	}
}
