package scaffold

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

func TestEveryEnvironmentIsValid(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, environment := range Environments() {
		var bundle []catalog.File
		for _, file := range files {
			if strings.HasPrefix(file.Path, "environments/"+environment+"/") || strings.HasPrefix(file.Path, "environments/common/") {
				bundle = append(bundle, catalog.File{Path: file.Path, Content: file.Content})
			}
		}
		model, problems := catalog.Parse(environment, bundle)
		if len(problems) > 0 {
			t.Errorf("%s: %v", environment, problems)
		}
		if model == nil {
			continue
		}
		if layer, ok := model.Layer("cities"); !ok || layer.DataSource == "" {
			t.Errorf("%s has no cities", environment)
		}
	}
}

func TestPolicyFileIsValid(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Path != policy.File {
			continue
		}
		document, problems := policy.Parse(file.Path, file.Content)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		// What is spelled out is what production has anyway.
		resolved, err := policy.Resolve("production", document.For("production"), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := resolved.Normalise()
		if err != nil {
			t.Fatal(err)
		}
		want, err := policy.Default("production").Normalise()
		if err != nil || string(got) != string(want) {
			t.Errorf("%s\ndiffers from the default\n%s, %v", got, want, err)
		}
		return
	}
	t.Fatal("there is no policy file")
}

func TestCities(t *testing.T) {
	var collection struct {
		Type     string
		Features []struct {
			Properties struct {
				Name, Country string
				Population    int
			}
			Geometry struct {
				Type        string
				Coordinates [2]float64
			}
		}
	}
	if err := json.Unmarshal(Cities(), &collection); err != nil {
		t.Fatal(err)
	}
	if len(collection.Features) < 40 {
		t.Errorf("only %d cities", len(collection.Features))
	}
	names := map[string]bool{}
	for _, city := range collection.Features {
		p, c := city.Properties, city.Geometry.Coordinates
		if p.Name == "" || p.Country == "" || p.Population <= 0 || names[p.Name] {
			t.Errorf("%+v", p)
		}
		names[p.Name] = true
		if city.Geometry.Type != "Point" || c[0] < -180 || c[0] > 180 || c[1] < -90 || c[1] > 90 {
			t.Errorf("%s is at %v", p.Name, c)
		}
	}
}

func TestWriteCitiesKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := WriteCities(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, CitiesFile)
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteCities(dir); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(path); string(content) != "mine" {
		t.Error("the file was overwritten")
	}
}
