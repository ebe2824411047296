package gitsync

import (
	"bytes"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

// FuzzPath takes names as folders of a repository may hold them: what is accepted means one file below its folder on
// every system, and what is refused is shown without harm.
func FuzzPath(f *testing.F) {
	for _, name := range []string{
		"metadata.json", ".gitkeep", "größe.json", "道路.json", "a b", "..", ".", "", ".git", ".GiT", "git~1", "GIT~1", ".git.", ".git ",
		".git::$INDEX_ALLOCATION", "a/b", `a\b`, "C:", "aux", "aux.json", "COM1", "lpt¹.txt", "conin$", "a\x00b", "a\x1b[2J", "a\u202eb",
		"a\u200d", "a\xff", "\ufeffa", "e\u0301", "\u00e9", "ﬁ", "ſ", "İ", "K", strings.Repeat("n", 256), strings.Repeat("\u00e9", 128),
	} {
		f.Add(name, name)
	}
	f.Add("Straße", "STRASSE")
	f.Add("\u00e9", "e\u0301")
	f.Fuzz(func(t *testing.T, name, other string) {
		folder := "environments/production/"
		names := map[string]string{}
		err := checkName(names, folder+name, name)
		if shown := printable(name); strings.ContainsFunc(shown, isHidden) || !utf8.ValidString(shown) || len(shown) > 4*300 {
			t.Errorf("%q is shown as %q", name, shown)
		}
		if err != nil {
			return
		}
		if !utf8.ValidString(name) || !filepath.IsLocal(name) || path.Clean(name) != name || path.Base(folder+name) != name {
			t.Errorf("%q is accepted", name)
		}
		if strings.EqualFold(strings.Trim(name, ". "), ".git") || strings.EqualFold(strings.TrimRight(name, ". "), ".git") {
			t.Errorf("%q is accepted", name)
		}
		err = checkName(names, folder+other, other)
		if err == nil && (strings.EqualFold(name, other) || foldName(name) == foldName(other)) {
			t.Errorf("%q and %q are accepted in one folder", name, other)
		}
	})
}

// FuzzTree reads folders as they are stored: what is accepted has names, and is stored so again.
func FuzzTree(f *testing.F) {
	hash := bytes.Repeat([]byte{0x45}, 20)
	entry := func(mode, name string) []byte { return append([]byte(mode+" "+name+"\x00"), hash...) }
	f.Add([]byte{})
	f.Add(entry("100644", "metadata.json"))
	f.Add(append(entry("40000", "layers"), entry("120000", "link")...))
	f.Add(entry("100644", "../../x"))
	f.Add(entry("160000", "")[:12])
	f.Add([]byte("99999999999999999999 a\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, err := parseTree(raw, "folder")
		if err != nil {
			if KindOf(err) != Content {
				t.Errorf("an error of kind %s: %v", KindOf(err), err)
			}
			return
		}
		size := 0
		for _, e := range entries {
			size += len(e.Name) + 20 + 1
			if e.Hash == plumbing.ZeroHash && !bytes.Contains(raw, plumbing.ZeroHash[:]) {
				t.Errorf("%q has no hash", e.Name)
			}
			if kindProblem(e.Mode) == "" {
				t.Errorf("mode %s has no name", e.Mode)
			}
		}
		if size > len(raw) {
			t.Errorf("%d bytes of entries out of %d", size, len(raw))
		}
	})
}
