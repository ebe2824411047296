package ogc

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// files are an environment as it stands in Git.
func files(metadata, datasources string) []catalog.File {
	return []catalog.File{
		{Path: "environments/production/metadata.json", Content: []byte(metadata)},
		{Path: "environments/production/datasources.json", Content: []byte(datasources)},
	}
}

const metadata = `{
  "services": [{
    "id": "gis-service", "title": "GIS", "description": "All",
    "layers": [
      {"id": "cities", "title": "Cities", "description": "World cities", "datasource": "files", "table": "cities",
       "geometryColumn": "geom", "geometryType": "Point", "srid": 4326,
       "properties": [{"name": "name", "type": "string"}, {"name": "size", "type": "integer"}]}
    ]
  }]
}`

const datasources = `{"datasources": [
  {"id": "files", "type": "GeoJSON", "connectionString": "${TOWNS_FILE}", "description": "towns"}
]}`

// From the files of a commit to the features that a client gets.
func TestFromConfigurationToFeatures(t *testing.T) {
	b := newBench(t, nil)
	t.Setenv("TOWNS_FILE", "towns.geojson")
	model, problems := catalog.Parse("production", files(metadata, datasources))
	if model == nil {
		t.Fatal(problems)
	}
	in := registry.BuildInput{Environment: "production", Digest: "sha256:1", Model: model, Checks: registry.Strict}
	c, found := b.registry.Build(t.Context(), in)
	if c != nil || len(found) != 1 {
		t.Fatalf("a missing file passed: %v", found)
	}
	text := found[0].Error()
	for _, want := range []string{"environments/production/datasources.json:2:3", "datasources[0].connectionString", `"files"`,
		`layer "cities"`, "${TOWNS_FILE}", "it does not exist"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %s", text, want)
		}
	}
	b.write("towns.geojson", towns(20, "x"))
	c, found = b.registry.Build(t.Context(), in)
	if c == nil {
		t.Fatal(found)
	}
	b.registry.Swap("production", c)
	page := decode[featurePage](t, b.get("/ogc/collections/cities/items?limit=10"))
	if len(page.Features) != 10 || len(page.Features[0].Properties) != 2 {
		t.Errorf("%d features, %v", len(page.Features), page.Features[0].Properties)
	}
}

// Thousands of layers over one file are read once, and all of them are served.
func TestManyLayers(t *testing.T) {
	const layers = 2_000
	b := newBench(t, nil)
	b.write("towns.geojson", towns(100, "x"))
	model := townModel()
	service := &model.Services[0]
	template := service.Layers[0]
	service.Layers = nil
	for n := range layers {
		template.ID = fmt.Sprintf("layer-%d", n)
		service.Layers = append(service.Layers, template)
	}
	c, problems := b.registry.Build(t.Context(), registry.BuildInput{
		Environment: "production", Digest: "d", Model: model, Checks: registry.Strict})
	if c == nil {
		t.Fatal(problems)
	}
	b.registry.Swap("production", c)
	if got := decode[collections](t, b.get("/ogc/collections")); len(got.Collections) != layers {
		t.Errorf("%d collections", len(got.Collections))
	}
	if results, _ := b.registry.Probe(t.Context(), "production"); len(results) != layers || !results[layers-1].OK {
		t.Errorf("%d results", len(results))
	}
	decode[map[string]any](t, b.get("/ogc/api"))
}

// Whatever a client asks, the answer is a query within bounds or a refusal that names the parameter.
func FuzzItemQuery(f *testing.F) {
	for _, seed := range []string{
		"", "limit=10&offset=5", "bbox=170,-20,-170,0", "bbox=1,2,3,4,5,6", "datetime=../2000-01-01", "datetime=2000-01-01T00:00:00Z/",
		"name=x&size=1&share=1.5&port=true&founded=2000-01-01", "limit=99999999999999999999", "uid=00000000-0000-0000-0000-000000000000",
		"name=' OR 1=1;--", "limit=1&limit=2", "%zz", "name=%00",
	} {
		f.Add(seed)
	}
	layer := &townModel().Services[0].Layers[0]
	settings := catalog.DefaultSettings().Ogc
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parseParams(raw)
		if err != nil {
			return
		}
		q, err := itemQuery(p, layer, settings)
		if err != nil {
			return
		}
		if q.Limit < 1 || q.Limit > settings.MaxLimit || q.Offset < 0 {
			t.Fatalf("%q: limit %d, offset %d", raw, q.Limit, q.Offset)
		}
		if q.BBox != nil && !(q.BBox.MinY <= q.BBox.MaxY) {
			t.Fatalf("%q: %+v", raw, q.BBox)
		}
		if _, err := url.ParseQuery(strings.TrimPrefix(string(p.appendWith(nil, "offset", "1")), "?")); err != nil {
			t.Fatalf("%q: the next link is malformed: %v", raw, err)
		}
	})
}
