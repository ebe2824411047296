package gitsync

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// short limits what a hostile server can cost.
func short(hangs bool) func(*Config) {
	return func(c *Config) {
		c.Limits.MaxTransferBytes = 64 << 10
		if hangs {
			c.Limits.FetchTimeout = 200 * time.Millisecond
		}
	}
}

// Attack class × phase: each is a typed error, deletes nothing, and is forgotten once the server
// behaves again.
func TestHostileServer(t *testing.T) {
	listed := "003e" + strings.Repeat("a", 40) + " refs/heads/other\n"
	cases := []struct {
		name      string
		phase     gitserver.Phase
		behaviour gitserver.Behaviour
		want      error
	}{
		{"status 500", gitserver.Advertise, gitserver.Status(500), ErrUnavailable},
		{"status 404", gitserver.Advertise, gitserver.Status(404), ErrUnavailable},
		{"endless 401", gitserver.Advertise, gitserver.Status(401), ErrAuth},
		{"hang", gitserver.Advertise, gitserver.Hang(), ErrTimeout},
		{"nothing", gitserver.Advertise, gitserver.Body(""), ErrGarbage},
		{"garbage", gitserver.Advertise, gitserver.Body("hello, world"), ErrGarbage},
		{"empty lines", gitserver.Advertise, gitserver.Body("00040004"), ErrGarbage},
		{"error line", gitserver.Advertise, gitserver.Body("0010ERR go away\n"), ErrUnavailable},
		{"page", gitserver.Advertise, gitserver.Page(), ErrGarbage},
		{"cut off", gitserver.Advertise, gitserver.TruncateTail(4), ErrGarbage},
		{"flood of refs", gitserver.Advertise, gitserver.Flood(listed), ErrTransferSize},
		{"flood of one line", gitserver.Advertise, gitserver.Flood("ffff"), ErrGarbage},
		{"SHA-256", gitserver.Advertise, gitserver.Body("000eversion 2\n000cls-refs\n000afetch\n0019object-format=sha256\n0000"), ErrUnsupported},
		{"no fetch", gitserver.Advertise, gitserver.Body("000eversion 2\n000cls-refs\n0000"), ErrGarbage},
		{"status 500", gitserver.List, gitserver.Status(500), ErrUnavailable},
		{"hang", gitserver.List, gitserver.Hang(), ErrTimeout},
		{"nothing", gitserver.List, gitserver.Body(""), ErrGarbage},
		{"garbage", gitserver.List, gitserver.Body("hello, world"), ErrGarbage},
		{"cut off", gitserver.List, gitserver.TruncateTail(4), ErrGarbage},
		{"flood of refs", gitserver.List, gitserver.Flood(listed), ErrTransferSize},
		{"redirect", gitserver.List, gitserver.Redirect("http://127.0.0.1:1", http.StatusTemporaryRedirect), ErrRedirect},
		{"status 503", gitserver.Fetch, gitserver.Status(503), ErrUnavailable},
		{"status 403", gitserver.Fetch, gitserver.Status(403), ErrAuth},
		{"hang", gitserver.Fetch, gitserver.Hang(), ErrTimeout},
		{"nothing", gitserver.Fetch, gitserver.Body(""), ErrGarbage},
		{"garbage", gitserver.Fetch, gitserver.Body("hello, world"), ErrGarbage},
		{"flush only", gitserver.Fetch, gitserver.Body("0000"), ErrGarbage},
		{"shallow", gitserver.Fetch, gitserver.Body("0011shallow-info\n"), ErrUnsupported},
		{"empty pack", gitserver.Fetch, gitserver.Body("000dpackfile\n0000"), ErrGarbage},
		{"error in the pack", gitserver.Fetch, gitserver.Body("000dpackfile\n000d\x03go away\n"), ErrUnavailable},
		{"unknown channel", gitserver.Fetch, gitserver.Body("000dpackfile\n000d\x09go away\n"), ErrGarbage},
		{"pack cut off", gitserver.Fetch, gitserver.Truncate(300), ErrGarbage},
		{"pack without end", gitserver.Fetch, gitserver.TruncateTail(30), ErrGarbage},
		{"pack corrupt", gitserver.Fetch, gitserver.Corrupt(-30), ErrGarbage},
		{"pack corrupt early", gitserver.Fetch, gitserver.Corrupt(150), ErrGarbage},
		{"flood of sections", gitserver.Fetch, gitserver.Flood("000ahello\n"), ErrTransferSize},
		{"redirect", gitserver.Fetch, gitserver.Redirect("http://127.0.0.1:1", http.StatusTemporaryRedirect), ErrRedirect},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s/%s", c.phase, c.name), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			first := s.repo.Commit(gitserver.Change{Files: sample(nil)})
			m := s.open(s.httpURL(), short(errors.Is(c.want, ErrTimeout)))
			m.poller = newHTTPRemote(m.remote, 64<<10)
			s.http.Behave(c.phase, c.behaviour)
			_, err := m.Head(t.Context())
			if c.phase == gitserver.Fetch {
				_, err = m.Read(t.Context(), Request{Commit: first, Environment: "production"})
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v (%s), want %v", err, Code(err), c.want)
			}
			s.http.Behave(c.phase, nil)
			m.config.Limits.FetchTimeout = time.Minute // what follows is to succeed on a busy machine
			if got := read(t, m, Request{Commit: head(t, m)}); len(got.Files) != 4 {
				t.Errorf("afterwards: %d files", len(got.Files))
			}
		})
	}
}

// Credentials never follow a redirect to another host, and no request does either.
func TestRedirects(t *testing.T) {
	s := newSite(t)
	want := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	other := gitserver.New(t, s.root)
	login := func(c *Config) { c.Credentials = Credentials{Username: "ada", Password: "secret"} }
	m := s.open(s.httpURL(), login)
	for _, code := range []int{301, 302, 303, 307, 308} {
		s.http.Behave(gitserver.Advertise, gitserver.Redirect(other.URL, code))
		_, err := m.Head(t.Context())
		if !errors.Is(err, ErrRedirect) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d to another host: %v", code, err)
		}
	}
	if n := other.Requests(gitserver.Advertise); n != 0 {
		t.Errorf("the other host got %d requests", n)
	}
	s.http.Behave(gitserver.Advertise, nil)
	// On the same host a repository may have moved.
	moved := s.open(s.http.URL+"/moved.git", login)
	s.http.Behave(gitserver.Advertise, func(w http.ResponseWriter, r *http.Request, normal http.Handler, closing <-chan struct{}) {
		if strings.HasPrefix(r.URL.Path, "/moved.git") {
			http.Redirect(w, r, strings.Replace(r.URL.RequestURI(), "/moved", "/config", 1), http.StatusMovedPermanently)
			return
		}
		normal.ServeHTTP(w, r)
	})
	if got := head(t, moved); got != want {
		t.Errorf("moved on the same host: %s", got)
	}
	if got := read(t, moved, Request{Commit: want}); len(got.Files) != 4 {
		t.Errorf("moved on the same host: %d files", len(got.Files))
	}
	s.http.Behave(gitserver.Advertise, func(w http.ResponseWriter, r *http.Request, _ http.Handler, _ <-chan struct{}) {
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
	})
	if _, err := s.open(s.httpURL()).Head(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("redirected in a circle: %v", err)
	}
}

// Inside an environment's folders only plainly named regular files are accepted.
func TestRejectedTrees(t *testing.T) {
	const in = "environments/production/"
	link := gitserver.File{Mode: "120000", Content: "/etc/passwd"}
	sub := gitserver.File{Mode: "160000", SHA: strings.Repeat("12", 20)}
	text := gitserver.File{Content: "{}"}
	cases := map[string]struct {
		files map[string]gitserver.File
		path  string
	}{
		"symlink":               {map[string]gitserver.File{in + "a.json": link}, in + "a.json"},
		"symlinked folder":      {map[string]gitserver.File{"environments/production": link}, "environments/production"},
		"symlinked root":        {map[string]gitserver.File{"environments": link}, "environments"},
		"submodule":             {map[string]gitserver.File{in + "sub": sub}, in + "sub"},
		"submodule as folder":   {map[string]gitserver.File{"environments/production": sub}, "environments/production"},
		"symlink in common":     {map[string]gitserver.File{"environments/common/a": link}, "environments/common/a"},
		"policy is a symlink":   {map[string]gitserver.File{".gitops/deployment-policy.yaml": link}, ".gitops/deployment-policy.yaml"},
		"LFS pointer":           {map[string]gitserver.File{in + "a": {Content: "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"}}, in + "a"},
		"not UTF-8":             {map[string]gitserver.File{in + "a\xff": text}, `"environments/production/a\xff"`},
		"control character":     {map[string]gitserver.File{in + "a\nb": text}, `"environments/production/a\nb"`},
		"direction character":   {map[string]gitserver.File{in + "a\u202egnp.json": text}, `"environments/production/a\u202egnp.json"`},
		"invisible character":   {map[string]gitserver.File{in + "a\u200b": text}, `"environments/production/a\u200b"`},
		"case collision":        {map[string]gitserver.File{in + "a.json": text, in + "A.json": text}, in + "a.json"},
		"composition collision": {map[string]gitserver.File{in + "\u00e9": text, in + "e\u0301": text}, in + "\u00e9"},
		"folder collision":      {map[string]gitserver.File{in + "x/a": text, in + "X/a": text}, in + "x"},
		"dot dot":               {map[string]gitserver.File{in + "..": text}, in + ".."},
		"dot":                   {map[string]gitserver.File{in + "./a": text}, in + "."},
		".git":                  {map[string]gitserver.File{in + ".git/config": text}, in + ".git"},
		".GIT":                  {map[string]gitserver.File{in + ".GiT": text}, in + ".GiT"},
		"git~1":                 {map[string]gitserver.File{in + "GIT~1": text}, in + "GIT~1"},
		".git with a dot":       {map[string]gitserver.File{in + ".git.": text}, in + ".git."},
		".git as a stream":      {map[string]gitserver.File{in + ".git::$INDEX_ALLOCATION": text}, in + ".git::$INDEX_ALLOCATION"},
		"backslash":             {map[string]gitserver.File{in + `a\b`: text}, in + `a\b`},
		"device":                {map[string]gitserver.File{in + "aux.json": text}, in + "aux.json"},
		"numbered device":       {map[string]gitserver.File{in + "COM1": text}, in + "COM1"},
		"long name":             {map[string]gitserver.File{in + strings.Repeat("n", 4096): text}, in + strings.Repeat("n", 256-len(in)) + "…"},
		"long path":             {map[string]gitserver.File{in + strings.Repeat(strings.Repeat("n", 200)+"/", 6) + "a": text}, ""},
		"deep":                  {map[string]gitserver.File{in + strings.Repeat("d/", 20) + "a": text}, ""},
		"large file":            {map[string]gitserver.File{in + "a": {Content: strings.Repeat("x", 1001)}}, in + "a"},
		"large bundle": {map[string]gitserver.File{
			in + "a": {Content: strings.Repeat("x", 900)}, in + "b": {Content: strings.Repeat("y", 900)}, in + "c": {Content: strings.Repeat("z", 900)},
		}, in + "c"},
		"many files":     {many(in, 21), ""},
		"unknown mode":   {map[string]gitserver.File{in + "a": {Mode: "140000", Content: "x"}}, ""},
		"folder as file": {map[string]gitserver.File{"environments/production": text}, "environments/production"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			sha := s.repo.Commit(gitserver.Change{Files: c.files})
			m := s.open(s.fileURL(), func(c *Config) {
				c.Limits.MaxFileBytes, c.Limits.MaxBundleBytes, c.Limits.MaxFiles = 1000, 2500, 20
			})
			_, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production"})
			var rejected *RejectedTreeError
			if !errors.As(err, &rejected) || KindOf(err) != Content {
				t.Fatalf("got %v, want a rejected tree", err)
			}
			if c.path != "" && rejected.Path != c.path {
				t.Errorf("path %s, want %s (%s)", rejected.Path, c.path, rejected.Reason)
			}
		})
	}
}

func many(prefix string, n int) map[string]gitserver.File {
	files := map[string]gitserver.File{}
	for i := range n {
		files[fmt.Sprintf("%sf%03d", prefix, i)] = gitserver.File{Content: "{}"}
	}
	return files
}

// Names that are unusual and fine.
func TestAcceptedNames(t *testing.T) {
	s := newSite(t)
	files := map[string]gitserver.File{}
	for _, name := range []string{".gitkeep", ".gitattributes", "größe.json", "道路.json", "a b", "auxiliary", "com10", "-x", "~"} {
		files["environments/production/"+name] = gitserver.File{Content: name}
	}
	files["environments/production/run"] = gitserver.File{Mode: "100755", Content: "#!"}
	files["elsewhere/aux"] = gitserver.File{Mode: "120000", Content: "target"} // outside, anything goes
	sha := s.repo.Commit(gitserver.Change{Files: files})
	if got := read(t, s.open(s.fileURL()), Request{Commit: sha}); len(got.Files) != 10 {
		t.Errorf("%v", paths(got.Files))
	}
}

// One kilobyte that expands to a billion paths.
func TestTreeBomb(t *testing.T) {
	s := newSite(t)
	blob := s.repo.Object("blob", []byte("boom"))
	tree := s.repo.Tree(gitserver.Entry{Mode: "100644", Name: "f", SHA: blob})
	for range 9 {
		var entries []gitserver.Entry
		for i := range 10 {
			entries = append(entries, gitserver.Entry{Mode: "40000", Name: fmt.Sprintf("d%d", i), SHA: tree})
		}
		tree = s.repo.Tree(entries...)
	}
	m := s.open(s.fileURL(), func(c *Config) { c.Limits.MaxFiles = 300 })
	sha := s.repo.Commit(gitserver.Change{Files: map[string]gitserver.File{"environments/production": {Mode: "40000", SHA: tree}}})
	if _, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production"}); !errors.Is(err, ErrRejectedTree) {
		t.Errorf("in the environment: %v", err)
	}
	files := sample(nil)
	files["bomb"] = gitserver.File{Mode: "40000", SHA: tree}
	sha = s.repo.Commit(gitserver.Change{Files: files})
	if got := read(t, m, Request{Commit: sha}); got.ChangedFiles != 1_000_000_007 {
		t.Errorf("elsewhere: %d files counted", got.ChangedFiles)
	}
}

// Objects that are missing are never taken for files that were deleted (I17).
func TestMissingObjects(t *testing.T) {
	gone := strings.Repeat("45", 20)
	for name, files := range map[string]map[string]gitserver.File{
		"file":              {"environments/production/a": {SHA: gone}},
		"environment":       {"environments/production": {Mode: "40000", SHA: gone}},
		"common":            {"environments/production/a": {Content: "{}"}, "environments/common": {Mode: "40000", SHA: gone}},
		"folder":            {"environments/production/a": {Content: "{}"}, "environments/production/b": {Mode: "40000", SHA: gone}},
		"folder of another": {"environments/production/a": {Content: "{}"}, "elsewhere": {Mode: "40000", SHA: gone}},
		"policy":            {"environments/production/a": {Content: "{}"}, ".gitops/deployment-policy.yaml": {SHA: gone}},
	} {
		s := newSite(t)
		sha := s.repo.Commit(gitserver.Change{Files: files})
		_, err := s.open(s.fileURL()).Read(t.Context(), Request{Commit: sha, Environment: "production"})
		if !errors.Is(err, ErrMissingObject) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil), Parents: []string{gone}})
	if _, err := s.open(s.fileURL()).Read(t.Context(), Request{Commit: sha, Environment: "production"}); !errors.Is(err, ErrMissingObject) {
		t.Errorf("parent: %v", err)
	}
}
