package catalog

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each archive holds the files of a repository; its last section lists every problem that Parse must find.
func TestProblemsGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { checkGolden(t, path) })
	}
}

func checkGolden(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files, want := split(archive)
	model, problems := Parse("production", files)
	if (model == nil) != HasErrors(problems) {
		t.Errorf("model is nil: %v, has errors: %v", model == nil, HasErrors(problems))
	}
	got := listing(problems)
	if strings.Contains(got, "hunter2") {
		t.Errorf("a problem shows a connection string:\n%s", got)
	}
	if *update {
		archive.Files = append(archive.Files[:len(files)], txtar.File{Name: "problems", Data: []byte(got)})
		if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func split(archive *txtar.Archive) (files []File, problems string) {
	for _, file := range archive.Files {
		if file.Name == "problems" {
			return files, string(file.Data)
		}
		files = append(files, File{Path: file.Name, Content: file.Data})
	}
	return files, ""
}

func listing(problems []Problem) string {
	var text strings.Builder
	for _, problem := range problems {
		text.WriteString(problem.Severity.String() + " " + problem.Code + " " + problem.Error() + "\n")
	}
	return text.String()
}
