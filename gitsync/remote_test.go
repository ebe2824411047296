package gitsync

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

func TestParseRemote(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.com/org/repo.git":  "https|https://example.com/org/repo.git|",
		"https://a:b@example.com/repo/":     "https|https://example.com/repo|",
		"HTTP://example.com:8080/repo":      "http|http://example.com:8080/repo|",
		"file:///srv/config":                "file||/srv/config",
		"file://localhost/srv/config/":      "file||/srv/config",
		"ssh://git@example.com/org/repo":    "ssh|git@example.com:22|/org/repo",
		"ssh://example.com:2222/~ada/repo":  "ssh|git@example.com:2222|~ada/repo",
		"git@example.com:org/repo.git":      "ssh|git@example.com:22|org/repo.git",
		"example.com:/srv/repo":             "ssh|git@example.com:22|/srv/repo",
		"ssh://ada@[::1]:22/repo":           "ssh|ada@[::1]:22|/repo",
		"":                                  "error",
		"/srv/config":                       "error",
		"config":                            "error",
		"../config":                         "error",
		"file://config":                     "error",
		"file://host/config":                "error",
		"ftp://example.com/repo":            "error",
		"https:///repo":                     "error",
		"https://example.com/repo?token=s":  "error",
		"ssh://ada:secret@example.com/repo": "error",
		"ssh://example.com":                 "error",
		"git@example.com:":                  "error",
		"-oProxyCommand=x:y":                "error",
		"ssh://-oProxyCommand=x/y":          "error",
		"https://example.com/a\nb":          "error",
		"C:\\config":                        "error",
	} {
		r, err := parseRemote(text)
		got := "error"
		if err == nil {
			address := ""
			if r.base != nil {
				address = r.base.String()
			}
			if r.address != "" {
				address = r.user + "@" + r.address
			}
			got = r.scheme + "|" + address + "|" + r.path
		}
		if got != want {
			t.Errorf("%q: %s (%v), want %s", text, got, err, want)
		}
		if err != nil && (!errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := parseRemote("/srv/config"); !strings.Contains(err.Error(), "file:///srv/config") {
		t.Errorf("no remedy: %v", err)
	}
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"https://ada:secret@example.com/repo":        "https://example.com/repo",
		"https://secret@example.com:8443/repo?t=s#f": "https://example.com:8443/repo",
		"https://ada:sec/ret@example.com/repo":       "https://[redacted]",
		"https://ada:sec@ret@example.com/repo":       "https://example.com/repo",
		"ssh://git@example.com/repo":                 "ssh://example.com/repo",
		"git@example.com:org/repo":                   "example.com:org/repo",
		"ada:secret@example.com/repo":                "[redacted]",
		"file:///srv/config":                         "file:///srv/config",
		"https://[::1]:80/repo":                      "https://[::1]:80/repo",
		"/srv/config":                                "/srv/config",
		"":                                           "",
	} {
		if got := Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCredentials(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte("from-file\n"), 0o600))
	t.Setenv("GITSYNC_TOKEN", "from-environment")
	c := Credentials{Username: "canary-1", Password: "a${GITSYNC_TOKEN}b${file:" + file + "}"}
	got, err := c.expand()
	must(t, err)
	if got.username != "canary-1" || got.password != "afrom-environmentbfrom-file" {
		t.Errorf("%+v", got)
	}
	if only, err := (Credentials{Password: "x"}).expand(); err != nil || only.username != "git" {
		t.Errorf("%+v %v", only, err)
	}
	for _, bad := range []string{"${GITSYNC_MISSING}", "${file:/nonexistent}"} {
		_, err := Credentials{Password: "canary-2" + bad}.expand()
		if !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), strings.Trim(bad, "${}")[5:]) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	c.Password = "canary-3"
	text, err := json.Marshal(c)
	must(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q %v %s", c, c, c, c, c, &c, text) + c.LogValue().String()
	if strings.Contains(all, "canary") {
		t.Errorf("shown: %s", all)
	}
}

func TestConfigValidate(t *testing.T) {
	good := Config{URL: "https://example.com/r", Branch: "main", MirrorDir: "/var/mirror"}
	must(t, good.Validate())
	for name, change := range map[string]func(*Config){
		"no URL":          func(c *Config) { c.URL = "" },
		"relative mirror": func(c *Config) { c.MirrorDir = "mirror" },
		"little memory":   func(c *Config) { c.Limits.FetchMemoryBytes = mib },
		"negative":        func(c *Config) { c.Limits.MaxFiles = -1 },
		"branch":          func(c *Config) { c.Branch = "" },
		"branch ..":       func(c *Config) { c.Branch = "a..b" },
		"branch .lock":    func(c *Config) { c.Branch = "a.lock" },
		"branch slash":    func(c *Config) { c.Branch = "/a" },
		"branch newline":  func(c *Config) { c.Branch = "a\nref-prefix x" },
		"branch option":   func(c *Config) { c.Branch = "-x" },
		"branch @{":       func(c *Config) { c.Branch = "a@{1}" },
	} {
		c := good
		change(&c)
		if err := c.Validate(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, branch := range []string{"main", "release/2.1", "größe", "a@b"} {
		must(t, validateBranch(branch))
	}
	for _, environment := range []string{"", "common", "a/b", `a\b`, "..", ".git", "con"} {
		if err := validateEnvironment(environment); !errors.Is(err, ErrConfig) {
			t.Errorf("environment %q: %v", environment, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{Interval: 30 * time.Second}
	for errs, want := range map[int]time.Duration{
		0: 30 * time.Second, 1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 4: MaxBackoff, 5: MaxBackoff, 1 << 20: MaxBackoff,
	} {
		for random, factor := range map[float64]float64{0: 0.9, 0.5: 1, 0.999999: 1.1} {
			got := b.Next(errs, random)
			if off := got - time.Duration(float64(want)*factor); off.Abs() > time.Millisecond {
				t.Errorf("Next(%d, %v) = %v", errs, random, got)
			}
		}
	}
	if got := (Backoff{Interval: time.Hour}).Next(3, 0.5); got != time.Hour {
		t.Errorf("an interval over the maximum: %v", got)
	}
}

func TestErrors(t *testing.T) {
	seen := map[string]bool{}
	for _, sentinel := range sentinels() {
		code := Code(fmt.Errorf("somewhere: %w", sentinel))
		if code == "" || code == "internal" || seen[code] {
			t.Errorf("%v: code %q", sentinel, code)
		}
		seen[code] = true
		back := packError(fmt.Errorf("at: %w", sentinel)).unpack()
		if !errors.Is(back, sentinel) || KindOf(back) != KindOf(sentinel) || back.Error() != "at: "+sentinel.Error() {
			t.Errorf("%v came back from the child as %v", sentinel, back)
		}
	}
	if Code(nil) != "" || Code(os.ErrExist) != "internal" || KindOf(os.ErrExist) != Transient {
		t.Error("errors of others")
	}
}

func TestHTTPLogin(t *testing.T) {
	s := newSite(t)
	want := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	s.http.RequireLogin("ada", "secret")
	if _, err := s.open(s.httpURL()).Head(t.Context()); !errors.Is(err, ErrAuth) {
		t.Errorf("without: %v", err)
	}
	with := func(password string) *Mirror {
		return s.open(s.httpURL(), func(c *Config) { c.Credentials = Credentials{Username: "ada", Password: password} })
	}
	if _, err := with("wrong").Head(t.Context()); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong: %v", err)
	}
	inURL := s.open(strings.Replace(s.httpURL(), "http://", "http://ada:secret@", 1))
	for _, m := range []*Mirror{with("secret"), inURL} {
		if got := head(t, m); got != want {
			t.Errorf("Head = %s", got)
		}
		read(t, m, Request{Commit: want})
	}
	s.http.RequireLogin("ada", "rotated")
	if _, err := inURL.Head(t.Context()); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "secret") {
		t.Errorf("rotated: %v", err)
	}
}

func TestSSHErrors(t *testing.T) {
	s := newSite(t)
	s.repo.Commit(gitserver.Change{Files: sample(nil)})
	server, other := gitserver.NewSSH(t), gitserver.NewSSH(t)
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	data, err := os.ReadFile(server.KeyFile)
	must(t, err)
	must(t, os.WriteFile(open, data, 0o644))
	must(t, os.Chmod(open, 0o644))
	empty := filepath.Join(dir, "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	changed := filepath.Join(dir, "changed")
	listed, err := os.ReadFile(other.KnownHosts)
	must(t, err)
	must(t, os.WriteFile(changed, []byte(strings.Replace(string(listed), portOf(other), portOf(server), 1)), 0o600))
	stranger := filepath.Join(dir, "stranger")
	gitserver.NewKey(t, stranger)
	for name, c := range map[string]struct {
		login Credentials
		path  string
		want  error
	}{
		"unknown host":        {Credentials{SSHKeyFile: server.KeyFile, SSHKnownHostsFile: empty}, s.repo.Dir, ErrHostKey},
		"changed host key":    {Credentials{SSHKeyFile: server.KeyFile, SSHKnownHostsFile: changed}, s.repo.Dir, ErrHostKey},
		"unknown key":         {Credentials{SSHKeyFile: stranger, SSHKnownHostsFile: server.KnownHosts}, s.repo.Dir, ErrAuth},
		"key others can read": {Credentials{SSHKeyFile: open, SSHKnownHostsFile: server.KnownHosts}, s.repo.Dir, ErrConfig},
		"no key":              {Credentials{SSHKeyFile: dir + "/missing", SSHKnownHostsFile: server.KnownHosts}, s.repo.Dir, ErrConfig},
		"no known_hosts":      {Credentials{SSHKeyFile: server.KeyFile, SSHKnownHostsFile: dir + "/missing"}, s.repo.Dir, ErrConfig},
		"no repository":       {Credentials{SSHKeyFile: server.KeyFile, SSHKnownHostsFile: server.KnownHosts}, "/nonexistent", ErrUnavailable},
	} {
		m := s.open("ssh://git@"+server.Address+c.path, func(config *Config) { config.Credentials = c.login })
		if _, err := m.Head(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// Keys and known hosts of the home directory.
	home := t.TempDir()
	must(t, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	must(t, os.Rename(server.KeyFile, filepath.Join(home, ".ssh", "id_ed25519")))
	must(t, os.Rename(server.KnownHosts, filepath.Join(home, ".ssh", "known_hosts")))
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	if _, err := s.open("ssh://git@" + server.Address + s.repo.Dir).Head(t.Context()); err != nil {
		t.Errorf("from the home directory: %v", err)
	}
}

func portOf(server *gitserver.SSH) string {
	return server.Address[strings.LastIndexByte(server.Address, ':')+1:]
}
