package policy

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParsePolicy checks that any bytes have a document or problems with places, and that the canonical form of every
// policy read comes back as the same bytes.
func FuzzParsePolicy(f *testing.F) {
	paths, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		doc, problems := Parse(File, content)
		if (doc == nil) != (len(problems) > 0) {
			t.Fatalf("document %v, problems %v", doc, problems)
		}
		for _, problem := range problems {
			if problem.Line < 1 || problem.Column < 1 {
				t.Fatalf("%v has no place", problem)
			}
		}
		if doc == nil {
			return
		}
		for name, override := range doc.Environments {
			first, err := resolve(t, name, &override).Normalise()
			if err != nil {
				t.Fatal(err)
			}
			again, err := FromNormalised(first)
			if err != nil {
				t.Fatalf("%s: %v", first, err)
			}
			if second, err := again.Normalise(); err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%s\n%s, %v", first, second, err)
			}
		}
	})
}
