package catalog

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParseMetadata checks that any bytes have either a model or an error with a place inside the file, that nothing
// which encoding/json refuses is accepted, and that the way from a model to itself changes nothing.
func FuzzParseMetadata(f *testing.F) {
	paths, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Add([]byte(`{"services": [{"id": "\ud83d\ude00"}]}`))
	sources := File{DataSourcesPath("fuzz"), []byte(`{"datasources":[{"id":"pg","type":"PostgreSQL","connectionString":"${DB}"}]}`)}
	f.Fuzz(func(t *testing.T, content []byte) {
		model, problems := Parse("fuzz", []File{{MetadataPath("fuzz"), content}, sources})
		if (model == nil) != HasErrors(problems) {
			t.Fatalf("model %v, problems %v", model, problems)
		}
		for _, problem := range problems {
			if problem.Line < 1 || problem.Column < 1 || problem.Column > len(content)+1 {
				t.Fatalf("%v has no place in the file", problem)
			}
		}
		if model != nil && !json.Valid(content) {
			t.Fatal("accepted what encoding/json refuses")
		}
		Parse("fuzz", []File{{MetadataPath("fuzz"), []byte(`{"services":[]}`)}, {DataSourcesPath("fuzz"), content},
			{AppSettingsPath("fuzz"), content}, {SharedConfigPath, content}})
	})
}
