package ogc

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The tests of this file follow the abstract test suite of OGC API - Features - Part 1: Core 1.0 (OGC 17-069r4,
// annex A). Subtests carry the requirements they show.

func TestConformanceCore(t *testing.T) {
	b := townBench(t, nil)
	t.Run("/req/core/root-op /req/core/root-success", func(t *testing.T) {
		document := decode[landing](t, b.get("/ogc"))
		for rel, wantType := range map[string]string{
			"self": typeJSON, "service-desc": typeOpenAPI, "conformance": typeJSON, "data": typeJSON,
		} {
			l, ok := find(document.Links, rel)
			if !ok || l.Type != wantType {
				t.Errorf("link %s: %+v", rel, l)
				continue
			}
			if got := b.get(strings.TrimPrefix(l.Href, b.server.URL)); got.StatusCode != http.StatusOK ||
				got.Header.Get("Content-Type") != wantType {
				t.Errorf("%s: %s %s", l.Href, got.Status, got.Header.Get("Content-Type"))
			}
		}
	})
	t.Run("/req/core/conformance-op /req/core/conformance-success", func(t *testing.T) {
		document := decode[conformance](t, b.get("/ogc/conformance"))
		for _, class := range []string{"core", "oas30", "geojson"} {
			if !slices.Contains(document.ConformsTo, "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"+class) {
				t.Errorf("class %s is missing", class)
			}
		}
	})
	t.Run("/req/core/fc-md-op /req/core/fc-md-success /req/core/fc-md-links /req/core/fc-md-items", func(t *testing.T) {
		document := decode[collections](t, b.get("/ogc/collections"))
		if _, ok := find(document.Links, "self"); !ok {
			t.Error("no self link")
		}
		var ids []string
		for _, c := range document.Collections {
			ids = append(ids, c.ID)
		}
		if !slices.Equal(ids, []string{"towns", "odd id/ä", "gone"}) {
			t.Errorf("ids = %q", ids)
		}
	})
	t.Run("/req/core/fc-md-items-links /req/core/fc-md-extent", func(t *testing.T) {
		for _, c := range decode[collections](t, b.get("/ogc/collections")).Collections {
			l, ok := find(c.Links, "items")
			if !ok || l.Type != typeGeoJSON {
				t.Errorf("%s: items link %+v", c.ID, l)
			}
			if c.ID == "towns" && (c.Extent == nil || c.Extent.Spatial.CRS != crs84 || len(c.Extent.Spatial.BBox[0]) != 4) {
				t.Errorf("extent = %+v", c.Extent)
			}
		}
	})
	t.Run("/req/core/sfc-md-op /req/core/sfc-md-success", func(t *testing.T) {
		for _, c := range decode[collections](t, b.get("/ogc/collections")).Collections {
			self, _ := find(c.Links, "self")
			single := decode[collection](t, b.get(strings.TrimPrefix(self.Href, b.server.URL)))
			one, _ := json.Marshal(single)
			other, _ := json.Marshal(c)
			if string(one) != string(other) {
				t.Errorf("%s\n%s", one, other)
			}
		}
	})
	t.Run("/req/core/http", func(t *testing.T) {
		for _, path := range []string{"/ogc", "/ogc/collections", "/ogc/collections/towns/items", "/ogc/collections/towns/items/1"} {
			whole, head := b.get(path), b.do(http.MethodHead, path)
			if head.StatusCode != http.StatusOK || len(head.body) != 0 || head.ContentLength != int64(len(whole.body)) {
				t.Errorf("HEAD %s: %s, %d of %d bytes", path, head.Status, head.ContentLength, len(whole.body))
			}
			if got := b.do(http.MethodPost, path); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != allowed {
				t.Errorf("POST %s: %s, Allow %q", path, got.Status, got.Header.Get("Allow"))
			}
		}
	})
	t.Run("/req/core/query-param-unknown /req/core/query-param-invalid", func(t *testing.T) {
		for _, path := range []string{"", "/conformance", "/api", "/collections", "/collections/towns",
			"/collections/towns/items", "/collections/towns/items/1"} {
			for _, query := range []string{"?unknown=1", "?f=html", "?%zz", "?a;b"} {
				if got := b.get("/ogc" + path + query); got.StatusCode != http.StatusBadRequest {
					t.Errorf("%s%s: %s", path, query, got.Status)
				}
			}
		}
	})
}

func TestConformanceFeatures(t *testing.T) {
	b := townBench(t, nil)
	const items = "/ogc/collections/towns/items"
	t.Run("/req/core/fc-op /req/core/fc-response /req/geojson/definition /req/geojson/content", func(t *testing.T) {
		got := b.get(items)
		page := decode[featurePage](t, got)
		if got.Header.Get("Content-Type") != typeGeoJSON || page.Type != "FeatureCollection" || len(page.Features) != 10 {
			t.Errorf("%s, %s, %d features", got.Header.Get("Content-Type"), page.Type, len(page.Features))
		}
		for _, f := range page.Features {
			if f.Type != "Feature" || len(f.ID) == 0 || len(f.Geometry) == 0 || len(f.Properties) != 8 {
				t.Errorf("feature %+v", f)
			}
		}
	})
	t.Run("/req/core/fc-limit-response-1", func(t *testing.T) {
		for query, want := range map[string]int{"?limit=1": 1, "?limit=99": 99, "?limit=100": 100, "?limit=5000": 100, "?limit=99999999999999999999": 100} {
			if page := decode[featurePage](t, b.get(items+query)); len(page.Features) != want {
				t.Errorf("%s: %d", query, len(page.Features))
			}
		}
	})
	t.Run("/req/core/fc-bbox-response", func(t *testing.T) {
		for query, want := range map[string]string{
			"-180,-1,-179,1":         "1 2",
			"-180,-1,5,-179,1,9":     "1 2",
			"-81,-10,-79.5,10":       "100",
			"0,10,10,20":             "",
			"170,-1,-178.5,1":        "1 2",
			"-180.0,0.0,-180.0,0.0":  "1",
			"-1.795e2,-1,-178.5,1":   "2",
			"-180,-90,180,90&size=0": "1",
		} {
			if page := decode[featurePage](t, b.get(items+"?bbox="+query)); page.ids() != want {
				t.Errorf("%s: %s", query, page.ids())
			}
		}
	})
	t.Run("/req/core/fc-time-response", func(t *testing.T) {
		for query, want := range map[string]string{
			"2000-01-01":                                "1",
			"2000-01-02T12:00:00Z":                      "2",
			"2000-01-02T23:30:00-02:00":                 "3",
			"../2000-01-03":                             "1 2 3",
			"/2000-01-03":                               "1 2 3",
			"2000-04-08/..":                             "99 100",
			"2000-04-08/":                               "99 100",
			"2000-01-02/2000-01-04T00:00:00Z":           "2 3 4",
			"2000-01-02t00:00:00z/2000-01-02T00:00:01Z": "2",
			"1999-01-01":                                "",
		} {
			if page := decode[featurePage](t, b.get(items+"?datetime="+url.QueryEscape(query))); page.ids() != want {
				t.Errorf("%s: %s", query, page.ids())
			}
		}
		if page := decode[featurePage](t, b.get("/ogc/collections/odd%20id%2F%C3%A4/items?datetime=1999-01-01")); len(page.Features) != 10 {
			t.Error("a collection without temporal property is limited by datetime")
		}
	})
	t.Run("/rec/core/fc-filters", func(t *testing.T) {
		for query, want := range map[string]string{
			"name=town+7": "8", "size=30": "4", "share=2.5": "3", "port=true&limit=2": "1 3", "founded=2000-01-05": "5",
			"uid=00000000-0000-0000-0000-000000000041": "42", "name=nobody": "", "name=": "", "size=30&port=true": "",
			"name=" + url.QueryEscape("' OR '1'='1"): "",
		} {
			if page := decode[featurePage](t, b.get(items+"?"+query)); page.ids() != want {
				t.Errorf("%s: %s", query, page.ids())
			}
		}
	})
	t.Run("/req/core/fc-links /req/core/fc-rel-type /rec/core/fc-next-1 /per/core/fc-prev", func(t *testing.T) { testLinks(t, b) })
	t.Run("/req/core/fc-timeStamp /req/core/fc-numberMatched /req/core/fc-numberReturned", func(t *testing.T) {
		page := decode[featurePage](t, b.get(items+"?limit=3&port=true"))
		if _, err := time.Parse(time.RFC3339, page.TimeStamp); err != nil {
			t.Error(err)
		}
		if *page.NumberMatched != 50 || *page.NumberReturned != 3 || len(page.Features) != 3 {
			t.Errorf("matched %d, returned %d", *page.NumberMatched, *page.NumberReturned)
		}
	})
	t.Run("/req/core/f-op /req/core/f-success /req/core/f-links", func(t *testing.T) { testItem(t, b) })
}

func testLinks(t *testing.T, b *bench) {
	path := "/ogc/collections/towns/items?port=true&limit=20"
	seen := 0
	for pages := 0; path != ""; pages++ {
		got := b.get(path)
		page := decode[featurePage](t, got)
		seen += len(page.Features)
		for _, l := range page.Links {
			if l.Rel == "" || l.Type == "" || !strings.HasPrefix(l.Href, b.server.URL) {
				t.Errorf("link %+v", l)
			}
			if answer := b.get(strings.TrimPrefix(l.Href, b.server.URL)); answer.Header.Get("Content-Type") != l.Type {
				t.Errorf("%+v is %s", l, answer.Header.Get("Content-Type"))
			}
		}
		if self, _ := find(page.Links, "self"); self.Type != typeGeoJSON {
			t.Errorf("self = %+v", self)
		}
		if alternate, _ := find(page.Links, "alternate"); alternate.Type != typeJSON {
			t.Errorf("alternate = %+v", alternate)
		}
		if _, ok := find(page.Links, "prev"); ok != (pages > 0) {
			t.Errorf("page %d: prev = %v", pages, ok)
		}
		next, _ := find(page.Links, "next")
		path = strings.TrimPrefix(next.Href, b.server.URL)
	}
	if seen != 50 {
		t.Errorf("next links lead to %d features", seen)
	}
	page := decode[featurePage](t, b.get("/ogc/collections/towns/items?offset=30&limit=20"))
	prev, _ := find(page.Links, "prev")
	if !strings.HasSuffix(prev.Href, "?limit=20&offset=10") {
		t.Errorf("prev = %+v", prev)
	}
	page = decode[featurePage](t, b.get("/ogc/collections/towns/items?offset=1000"))
	if _, ok := find(page.Links, "next"); ok || *page.NumberReturned != 0 {
		t.Error("there is a page after the end")
	}
}

func testItem(t *testing.T, b *bench) {
	type feature struct {
		Type  string `json:"type"`
		ID    any    `json:"id"`
		Links []link `json:"links"`
	}
	for path, id := range map[string]any{
		"/ogc/collections/towns/items/7":                         7.0,
		"/ogc/collections/gis-service::towns/items/7":            7.0,
		"/ogc/collections/odd%20id%2F%C3%A4/items/town%207":      "town 7",
		"/environments/production/ogc/collections/towns/items/1": 1.0,
	} {
		got := b.get(path)
		f := decode[feature](t, got)
		if f.Type != "Feature" || f.ID != id || got.Header.Get("Content-Type") != typeGeoJSON {
			t.Errorf("%s: %+v", path, f)
		}
		for _, rel := range []string{"self", "alternate", "collection"} {
			l, ok := find(f.Links, rel)
			if answer := b.get(strings.TrimPrefix(l.Href, b.server.URL)); !ok || answer.StatusCode != http.StatusOK {
				t.Errorf("%s: link %s %+v: %s", path, rel, l, answer.Status)
			}
		}
	}
	for _, id := range []string{"0", "101", "x", "1%20OR%201=1", "'%3B%20DROP%20TABLE%20towns%3B--", "..%2F..%2Fetc%2Fpasswd", "%00", "%FF", "-1", "1%2F2"} {
		got := b.get("/ogc/collections/towns/items/" + id)
		if got.StatusCode != http.StatusNotFound || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", id, got.Status)
		}
	}
}

func TestConformanceOpenAPI(t *testing.T) {
	b := townBench(t, nil)
	got := b.get("/ogc/api")
	if got.Header.Get("Content-Type") != typeOpenAPI {
		t.Errorf("Content-Type = %s", got.Header.Get("Content-Type"))
	}
	document := decode[map[string]any](t, got)
	parameter := func(name string) map[string]any {
		return document["components"].(map[string]any)["parameters"].(map[string]any)[name].(map[string]any)
	}
	t.Run("/req/oas30/oas-definition-1 /req/oas30/oas-impl", func(t *testing.T) {
		if document["openapi"] != "3.0.3" {
			t.Error(document["openapi"])
		}
		paths := document["paths"].(map[string]any)
		for _, path := range []string{"/", "/conformance", "/api", "/collections", "/collections/{collectionId}",
			"/collections/{collectionId}/items", "/collections/{collectionId}/items/{featureId}", "/collections/towns/items"} {
			if paths[path] == nil {
				t.Errorf("path %s is missing", path)
			}
		}
	})
	t.Run("every reference leads somewhere", func(t *testing.T) { checkReferences(t, document, document) })
	for requirement, want := range map[string]struct {
		name, kind string
	}{
		"/req/core/fc-limit-definition": {"limit", "integer"},
		"/req/core/fc-bbox-definition":  {"bbox", "array"},
		"/req/core/fc-time-definition":  {"datetime", "string"},
	} {
		t.Run(requirement, func(t *testing.T) {
			p := parameter(want.name)
			schema := p["schema"].(map[string]any)
			if p["name"] != want.name || p["in"] != "query" || p["required"] != false || p["style"] != "form" ||
				p["explode"] != false || schema["type"] != want.kind {
				t.Errorf("%v", p)
			}
		})
	}
	limit := parameter("limit")["schema"].(map[string]any)
	if limit["minimum"] != 1.0 || limit["maximum"] != 10000.0 || limit["default"] != 10.0 {
		t.Errorf("limit: %v", limit)
	}
}

func checkReferences(t *testing.T, document map[string]any, part any) {
	t.Helper()
	switch part := part.(type) {
	case map[string]any:
		if reference, ok := part["$ref"].(string); ok {
			var at any = document
			for step := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
				at = at.(map[string]any)[step]
			}
			if at == nil {
				t.Errorf("%s leads nowhere", reference)
			}
		}
		for _, inner := range part {
			checkReferences(t, document, inner)
		}
	case []any:
		for _, inner := range part {
			checkReferences(t, document, inner)
		}
	}
}
