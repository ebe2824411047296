package gitserver

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" // Git's object names
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Repo is a bare repository that is written object by object, so that it can hold what git
// itself refuses to make.
type Repo struct {
	// Dir is the repository's folder.
	Dir string

	t     testing.TB
	clock time.Time
}

// File is an entry of a tree: a file with Content, or whatever SHA names.
type File struct {
	// Mode is as in a tree: "100644" (default), "100755", "120000" (link), "160000" (submodule), "40000" (folder).
	Mode    string
	Content string
	SHA     string
}

// Change describes a commit to make.
type Change struct {
	// Branch that is moved to the commit; "" means "main".
	Branch string
	// Files are all files of the commit, by path. Tree, if set, is used instead.
	Files map[string]File
	Tree  string
	// Parents default to the branch's head; an empty, non-nil list makes a root commit.
	Parents []string
	Message string
	// Author and Committer are "Name <address>".
	Author, Committer string
	// Time defaults to one second after the commit made before.
	Time time.Time
	// Sign returns an armored signature of the commit, which becomes a part of it; nil leaves it unsigned.
	Sign func(commit []byte) string
}

// NewRepo makes an empty bare repository in dir, whose HEAD is main.
func NewRepo(t testing.TB, dir string) *Repo {
	t.Helper()
	r := &Repo{Dir: dir, t: t, clock: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	for _, folder := range []string{"objects/pack", "objects/info", "refs/heads", "refs/tags"} {
		r.must(os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	r.write("HEAD", "ref: refs/heads/main\n")
	r.write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
	return r
}

// Texts turns contents by path into files.
func Texts(contents map[string]string) map[string]File {
	files := make(map[string]File, len(contents))
	for path, content := range contents {
		files[path] = File{Content: content}
	}
	return files
}

// Object stores an object ("blob", "tree" or "commit") and returns its name.
func (r *Repo) Object(kind string, content []byte) string {
	r.t.Helper()
	raw := append(fmt.Appendf(nil, "%s %d\x00", kind, len(content)), content...)
	sum := sha1.Sum(raw)
	name := hex.EncodeToString(sum[:])
	path := filepath.Join(r.Dir, "objects", name[:2], name[2:])
	if _, err := os.Stat(path); err == nil {
		return name
	}
	var packed bytes.Buffer
	r.must(deflate(&packed, bytes.NewReader(raw)))
	r.must(os.MkdirAll(filepath.Dir(path), 0o755))
	r.must(os.WriteFile(path, packed.Bytes(), 0o644))
	return name
}

// Raw reads an object that Object, Tree or Commit stored.
func (r *Repo) Raw(name string) (kind string, content []byte) {
	r.t.Helper()
	packed, err := os.ReadFile(filepath.Join(r.Dir, "objects", name[:2], name[2:]))
	r.must(err)
	reader, err := zlib.NewReader(bytes.NewReader(packed))
	r.must(err)
	whole, err := io.ReadAll(reader)
	r.must(err)
	header, content, _ := bytes.Cut(whole, []byte{0})
	kind, _, _ = strings.Cut(string(header), " ")
	return kind, content
}

// Entry is one line of a tree.
type Entry struct{ Mode, Name, SHA string }

// Tree stores a tree with exactly these entries in this order.
func (r *Repo) Tree(entries ...Entry) string {
	r.t.Helper()
	var raw bytes.Buffer
	for _, entry := range entries {
		sha, err := hex.DecodeString(entry.SHA)
		r.must(err)
		fmt.Fprintf(&raw, "%s %s\x00%s", entry.Mode, entry.Name, sha)
	}
	return r.Object("tree", raw.Bytes())
}

// Commit stores a commit, moves the branch to it, and returns its name.
func (r *Repo) Commit(c Change) string {
	r.t.Helper()
	c = r.complete(c)
	var raw strings.Builder
	fmt.Fprintf(&raw, "tree %s\n", c.Tree)
	for _, parent := range c.Parents {
		fmt.Fprintf(&raw, "parent %s\n", parent)
	}
	fmt.Fprintf(&raw, "author %s %d +0000\n", c.Author, c.Time.Unix())
	fmt.Fprintf(&raw, "committer %s %d +0000\n", c.Committer, c.Time.Unix())
	header, rest := raw.String(), "\n"+c.Message
	if c.Sign != nil {
		signature := strings.TrimRight(c.Sign([]byte(header+rest)), "\n")
		header += "gpgsig " + strings.ReplaceAll(signature, "\n", "\n ") + "\n"
	}
	sha := r.Object("commit", []byte(header+rest))
	r.SetBranch(c.Branch, sha)
	return sha
}

func (r *Repo) complete(c Change) Change {
	r.t.Helper()
	setDefault(&c.Branch, "main")
	setDefault(&c.Message, "Change the configuration\n")
	setDefault(&c.Author, "Ada Lovelace <ada@example.com>")
	setDefault(&c.Committer, c.Author)
	if c.Time.IsZero() {
		r.clock = r.clock.Add(time.Second)
		c.Time = r.clock
	}
	if c.Tree == "" {
		c.Tree = r.folder(c.Files)
	}
	if head := r.Head(c.Branch); c.Parents == nil && head != "" {
		c.Parents = []string{head}
	}
	return c
}

func setDefault(value *string, to string) {
	if *value == "" {
		*value = to
	}
}

// SetBranch moves a branch.
func (r *Repo) SetBranch(branch, sha string) {
	r.t.Helper()
	r.write("refs/heads/"+branch, sha+"\n")
}

// DeleteBranch removes a branch.
func (r *Repo) DeleteBranch(branch string) {
	r.t.Helper()
	r.must(os.Remove(filepath.Join(r.Dir, "refs", "heads", branch)))
}

// Head returns what a branch points to; "" if it does not exist.
func (r *Repo) Head(branch string) string {
	text, err := os.ReadFile(filepath.Join(r.Dir, "refs", "heads", branch))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (r *Repo) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.Dir, filepath.FromSlash(name))
	r.must(os.MkdirAll(filepath.Dir(path), 0o755))
	draft := path + ".draft"
	r.must(os.WriteFile(draft, []byte(text), 0o644))
	r.must(os.Rename(draft, path))
}

func (r *Repo) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Zeros stores a blob of zeros, which is tiny until it is unpacked, and returns its name. git does
// it: under the race detector compressing takes minutes.
func (r *Repo) Zeros(size int64) string {
	r.t.Helper()
	cmd := exec.Command("git", "hash-object", "-w", "--stdin")
	cmd.Dir = r.Dir
	cmd.Stdin = io.LimitReader(zeros{}, size)
	name, err := cmd.Output()
	r.must(err)
	return strings.TrimSpace(string(name))
}

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
