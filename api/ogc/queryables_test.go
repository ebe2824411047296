package ogc

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// Queryables (OGC 19-079r2): a JSON Schema at the link of the collection, each property of which is a parameter.
func TestQueryables(t *testing.T) {
	s := newSuite(t, geoJSONWorld)
	values := map[string]string{
		"name": "town 7", "mark": "a", "size": "30", "share": "2.5", "port": "true", "founded": "2000-01-05",
		"uid": "00000000-0000-0000-0000-000000000041", "kind": "area", "seen": "2020-01-01T00:00:00Z",
	}
	for _, c := range s.collections() {
		l, ok := find(c.Links, relQueryables)
		got := s.get(s.path(l))
		if !ok || got.Header.Get("Content-Type") != typeSchema || l.Type != typeSchema {
			t.Fatalf("%s: %+v: %s %s", c.ID, l, got.Status, got.Header.Get("Content-Type"))
		}
		s.valid(got, "queryables")
		document := decode[map[string]any](t, got)
		properties := document["properties"].(map[string]any)
		if document["$id"] != l.Href || document["additionalProperties"] != false || properties["extra"] != nil {
			t.Errorf("%s: %v", c.ID, document)
		}
		if dig(properties, "geometry", "x-ogc-role") != "primary-geometry" {
			t.Errorf("%s: geometry %v", c.ID, properties["geometry"])
		}
		for name := range properties {
			if name == "geometry" {
				continue
			}
			page := decode[featurePage](t, s.get(s.items(c)+"?"+name+"="+url.QueryEscape(values[name])))
			if len(page.Features) == 0 {
				t.Errorf("%s: nothing has %s=%s", c.ID, name, values[name])
			}
		}
	}
	towns := decode[map[string]any](t, s.get("/ogc/collections/towns/queryables"))
	for name, want := range map[string][2]any{
		"name": {"string", nil}, "size": {"integer", nil}, "share": {"number", nil}, "port": {"boolean", nil},
		"founded": {"string", "date"}, "uid": {"string", "uuid"}, "geometry": {nil, "geometry-point"},
	} {
		p := dig(towns, "properties", name)
		if dig(p, "type") != want[0] || dig(p, "format") != want[1] {
			t.Errorf("%s: %v", name, p)
		}
	}
	if got := s.get("/ogc/collections/nothing/queryables"); got.StatusCode != http.StatusNotFound {
		t.Error(got.Status)
	}
	if got := s.get("/ogc/collections/towns/queryables", "Accept", "text/html"); got.StatusCode != http.StatusNotAcceptable {
		t.Error(got.Status)
	}
}

// A property that is named like a parameter with a meaning of its own is no filter.
func TestReservedNamesAreNoFilters(t *testing.T) {
	layer := townModel().Services[0].Layers[0]
	for i, name := range []string{"limit", "crs", "bbox-crs", "f"} {
		layer.Properties[i].Name = name
	}
	for _, p := range filterable(&layer) {
		if slices.Contains(reserved(), p.Name) {
			t.Errorf("%s is a filter", p.Name)
		}
	}
}
