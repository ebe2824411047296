package geojson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

func TestDecodeRefuses(t *testing.T) {
	feature := func(geometry string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":` + geometry + `}]}`
	}
	for _, test := range []struct{ content, want string }{
		{"", "line 1"},
		{"\n\n {]", "line 3, column 3"},
		{"[]", "no JSON object"},
		{`"x"`, "no JSON object"},
		{`{}`, "its type is missing"},
		{`{"type":"Feature"}`, `its type is "Feature"`},
		{`{"type":"FeatureCollection"}`, "no array"},
		{`{"type":"FeatureCollection","features":{}}`, "no array"},
		{`{"type":"FeatureCollection","features":[],"features":[]}`, "twice"},
		{`{"type":"FeatureCollection","features":[1]}`, "features[0]"},
		{`{"type":"FeatureCollection","features":[{"type":"Feature"},{"type":"Point"}]}`, "features[1]"},
		{`{"type":"FeatureCollection","features":[{"type":"Feature","id":{}}]}`, "id"},
		{`{"type":"FeatureCollection","features":[{"type":"Feature","properties":[]}]}`, "properties"},
		{`{"type":"FeatureCollection","features":[{"type":"Feature","id":1,"id":2}]}`, `"id" twice`},
		{feature(`1`), "geometry"},
		{feature(`{"type":"Circle","coordinates":[1,2]}`), "unknown type"},
		{feature(`{"type":"Point"}`), "coordinates"},
		{feature(`{"type":"Point","coordinates":[]}`), "coordinates"},
		{feature(`{"type":"Point","coordinates":[1]}`), "coordinates"},
		{feature(`{"type":"Point","coordinates":["1",2]}`), "coordinates"},
		{feature(`{"type":"Point","coordinates":[1e999,2]}`), "out of range"},
		{feature(`{"type":"LineString","coordinates":[[1,2]]}`), "one position"},
		{feature(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`), "ring"},
		{feature(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`), "ring"},
		{feature(`{"type":"GeometryCollection"}`), "geometries"},
		{feature(strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 20) + strings.Repeat("]}", 20)), "inside each other"},
		{"{\"type\":\"\xff\"}", "UTF-8"},
	} {
		_, err := decode([]byte(test.content))
		if !errors.Is(err, errFormat) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.80s: %v, want %q", test.content, err, test.want)
		}
	}
}

func TestDecodeAccepts(t *testing.T) {
	for _, content := range []string{
		"\ufeff" + cities,
		`{"type":"FeatureCollection","features":[]}`,
		`{"features":[{"properties":null,"geometry":null,"type":"Feature"}],"type":"FeatureCollection","name":"x"}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","bbox":[1],"foreign":{"id":[]}}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[]}}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"coordinates":[1,2],"type":"Point"}}]}`,
	} {
		if _, err := decode([]byte(content)); err != nil {
			t.Errorf("%.80s: %v", content, err)
		}
	}
}

func TestCheck(t *testing.T) {
	const mixed = `{"type":"FeatureCollection","features":[
	 {"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},"properties":{"n":1,"d":"2026-01-01","t":"2026-01-01T00:00:00Z","u":"x","k":"a"}},
	 {"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[]},"properties":{"n":1.5,"d":null,"t":"2026-01-01","u":{"deep":[]},"k":"a"}}]}`
	const metres = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[261000,6250000]}}]}`
	property := func(name, kind string) catalog.Layer {
		return catalog.Layer{Properties: []catalog.Property{{Name: name, Type: kind}}}
	}
	for _, test := range []struct {
		content string
		layer   catalog.Layer
		field   string // empty: nothing is wrong
		want    string
	}{
		{cities, *cityLayer(), "", ""},
		{cities, catalog.Layer{GeometryType: "LineString"}, "geometryType", "found Point in features[0]; expected LineString"},
		{cities, catalog.Layer{GeometryType: "multipoint"}, "", ""},
		{cities, catalog.Layer{GeometryType: "Geometry"}, "", ""},
		{cities, catalog.Layer{SRID: 3857}, "srid", "found 4326"},
		{metres, catalog.Layer{SRID: 4326}, "srid", "features[0]"},
		{cities, catalog.Layer{IDColumn: "name"}, "", ""},
		{cities, catalog.Layer{IDColumn: "population"}, "idColumn", "features[2]"},
		{cities, catalog.Layer{IDColumn: "gone"}, "idColumn", "features[0]"},
		{mixed, catalog.Layer{IDColumn: "k"}, "idColumn", "features[1] has the same"},
		{mixed, catalog.Layer{GeometryType: "MultiPolygon"}, "", ""},
		{mixed, catalog.Layer{GeometryType: "Polygon"}, "geometryType", "found MultiPolygon in features[1]"},
		{cities, property("mayor", "string"), "properties[0].name", `no feature has a property "mayor"`},
		{cities, property("population", "string"), "properties[0].type", "found integer in features[0]; expected string"},
		{cities, property("area", "integer"), "properties[0].type", "found number"},
		{cities, property("name", "boolean"), "properties[0].type", "found string"},
		{cities, property("founded", "datetime"), "", ""},
		{mixed, property("n", "number"), "", ""},
		{mixed, property("d", "date"), "", ""},
		{mixed, property("t", "date"), "properties[0].type", "found datetime in features[0]"},
		{mixed, property("u", "json"), "", ""},
		{mixed, property("u", "string"), "properties[0].type", "object or array in features[1]"},
		{`{"type":"FeatureCollection","features":[]}`, catalog.Layer{IDColumn: "x", Properties: []catalog.Property{{Name: "x"}}}, "", ""},
	} {
		d, err := decode([]byte(test.content))
		if err != nil {
			t.Fatal(err)
		}
		findings := d.check(&test.layer)
		if test.field == "" {
			if len(findings) != 0 {
				t.Errorf("%+v: %v", test.layer, findings)
			}
			continue
		}
		if len(findings) != 1 || findings[0].Field != test.field || !strings.Contains(findings[0].Message, test.want) {
			t.Errorf("%+v: %v, want %s: %s", test.layer, findings, test.field, test.want)
		}
	}
}

// Whatever a file holds, it is refused or every feature of it is valid JSON of the declared shape.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		cities, points(3), "", "[]", `{"type":"FeatureCollection","features":[{"type":"Feature","id":"a\"b","properties":{"name":"\ud83d\ude00"}}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}]}}]}`,
	} {
		f.Add([]byte(seed))
	}
	area := &registry.BBox{MinX: -10, MinY: -10, MaxX: 10, MaxY: 50}
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := decode(content)
		if err != nil {
			if !errors.Is(err, errFormat) {
				t.Fatal(err)
			}
			return
		}
		for _, layer := range []*catalog.Layer{{}, {IDColumn: "name", Properties: []catalog.Property{{Name: "name"}}}} {
			d.check(layer)
			for _, q := range []registry.Query{{Limit: 100}, {Limit: 100, BBox: area}} {
				_, err := d.query(t.Context(), layer, q, func(feature []byte) error {
					var shape struct {
						Type       string
						Properties *map[string]json.RawMessage
					}
					if err := json.Unmarshal(feature, &shape); err != nil || shape.Type != "Feature" {
						t.Fatalf("%s: %v", feature, err)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
