package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestScrub(t *testing.T) {
	token := "honua_" + strings.Repeat("a", 52)
	s := NewScrubber("p@ss w/rd", "p@ss w/rd, longer", "abc", "")
	for text, want := range map[string]string{
		"nothing":                                           "nothing",
		"abc is too short to look for":                      "abc is too short to look for",
		"it is p@ss w/rd":                                   "it is [redacted]",
		"it is p@ss w/rd, longer":                           "it is [redacted]",
		"p%40ss+w%2Frd p@ss%20w%2Frd":                       "[redacted] [redacted]",
		"cEBzcyB3L3Jk":                                      "[redacted]",
		"70407373207 7040737320772f7264":                    "70407373207 [redacted]",
		"token " + token + "!":                              "token [redacted]!",
		"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl": "[redacted]",
		"https://u:p@h/x?y":                                 "https://[redacted]@h/x?y",
		"ssh://git@h/x":                                     "ssh://[redacted]@h/x",
		"https://h/x@y":                                     "https://h/x@y",
		"Host=h;Password=x y;User=u":                        "Host=h;Password=[redacted] y;User=u",
		`"password": "x y"`:                                 `"password": "x y"`,
		"password=x":                                        "password=[redacted]",
		"pwd: 'a b'":                                        "pwd: [redacted]",
		"Authorization: Bearer abcdefgh.ij":                 "Authorization: Bearer [redacted]",
		"a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb": "a\n[redacted]\nb",
		"-----BEGIN PRIVATE KEY-----\ncut off":                                    "[redacted]",
		"-----BEGIN CERTIFICATE-----":                                             "-----BEGIN CERTIFICATE-----",
	} {
		if got := string(s.Scrub([]byte(text))); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int]string{100: "one\ntwo\nthree\n", 14: "one\ntwo\nthree\n", 13: "two\nthree\n", 7: "three\n", 2: ""} {
		if f := Tail("log.txt", path, int64(most)); f.Err != nil || string(f.Content) != want || f.Name != "log.txt" {
			t.Errorf("%d: %q, %v", most, f.Content, f.Err)
		}
		if f := TailOf("log.txt", iotest.OneByteReader(strings.NewReader("one\ntwo\nthree\n")), most); f.Err != nil || string(f.Content) != want {
			t.Errorf("%d of a reader: %q, %v", most, f.Content, f.Err)
		}
	}
	if f := Tail("x", filepath.Join(t.TempDir(), "none"), 10); !errors.Is(f.Err, os.ErrNotExist) {
		t.Errorf("got %v", f.Err)
	}
	if f := Tail("x", t.TempDir(), 10); f.Err == nil {
		t.Error("a folder has a tail")
	}
	if f := TailOf("x", iotest.ErrReader(os.ErrPermission), 10); !errors.Is(f.Err, os.ErrPermission) {
		t.Errorf("got %v", f.Err)
	}
}

func TestFilesAreBounded(t *testing.T) {
	if f := Text("x", make([]byte, MaxFileBytes)); f.Err != nil || len(f.Content) != MaxFileBytes {
		t.Errorf("within the bound: %d, %v", len(f.Content), f.Err)
	}
	if f := Text("x", make([]byte, MaxFileBytes+1)); f.Err == nil || len(f.Content) != MaxFileBytes {
		t.Errorf("one more: %d, %v", len(f.Content), f.Err)
	}
	if f := JSON("x", func() {}); f.Err == nil {
		t.Error("a function is JSON")
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	entries, err := List(dir)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	if e := entries[2]; e.Path != filepath.Join(dir, "b") || e.Size != 5 || e.Mode != "-rw-------" {
		t.Errorf("%+v", e)
	}
	if _, err := List(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for i := range MaxEntries {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("c%d", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := List(dir); len(entries) != MaxEntries || err == nil {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestProfilesOfThisProcess(t *testing.T) {
	if f := Goroutines("g"); f.Err != nil || !bytes.Contains(f.Content, []byte("TestProfilesOfThisProcess")) {
		t.Errorf("%v: %.200s", f.Err, f.Content)
	}
	if f := Heap("h"); f.Err != nil || len(f.Content) == 0 {
		t.Errorf("%v", f.Err)
	}
	if f := profile("x", "none", 0); f.Err == nil {
		t.Error("there is a profile of that name")
	}
	if p := ThisProcess(time.Now(), time.Now()); p.PID != os.Getpid() || p.Goroutines < 1 || p.HeapBytes == 0 {
		t.Errorf("%+v", p)
	}
}

func TestArchive(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	a := NewArchive(&out, "bundle", at, Index{Version: "1"})
	for _, f := range []File{
		Text("nodes/node1/log.txt", []byte("a line\n")),
		{Name: "nodes/node2", Err: errors.New("unreachable")},
		{Name: "part", Content: []byte("half"), Err: errors.New("cut off")},
		Text("../outside", []byte("x")), Text("/etc/passwd", []byte("x")), Text("", []byte("x")),
	} {
		if err := a.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	found := unpack(t, &out)
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"bundle/index.json", "bundle/nodes/node1/log.txt", "bundle/part"}) {
		t.Errorf("files %q", names)
	}
	var index Index
	if err := json.Unmarshal(found["bundle/index.json"], &index); err != nil {
		t.Fatal(err)
	}
	if index.At != "2026-11-27T12:00:00Z" || len(index.Files) != 2 || len(index.Problems) != 5 || index.Problems[0] != (Problem{"nodes/node2", "unreachable"}) {
		t.Errorf("%+v", index)
	}
	if index.Files[0].Size != 7 || len(index.Files[0].SHA256) != 64 {
		t.Errorf("%+v", index.Files[0])
	}
}

func unpack(t *testing.T, packed io.Reader) map[string][]byte {
	t.Helper()
	inner, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for files := tar.NewReader(inner); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Mode != 0o600 {
			t.Errorf("%s has mode %o", header.Name, header.Mode)
		}
		if found[header.Name], err = io.ReadAll(files); err != nil {
			t.Fatal(err)
		}
	}
}

func TestArchiveThatCannotBeWritten(t *testing.T) {
	a := NewArchive(failing{}, "bundle", time.Now(), Index{})
	err := a.Add(Text("x", make([]byte, 1<<20)))
	if err = errors.Join(err, a.Close()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }
