package ogc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// positions are all positions of a geometry, also of a null one.
func positions(t testing.TB, geometry json.RawMessage) [][]float64 {
	t.Helper()
	var g struct {
		Coordinates any
		Geometries  []json.RawMessage
	}
	if err := json.Unmarshal(geometry, &g); err != nil {
		t.Fatalf("%v: %s", err, geometry)
	}
	var all [][]float64
	var walk func(any)
	walk = func(value any) {
		list, _ := value.([]any)
		if len(list) > 0 {
			if _, isNumber := list[0].(float64); isNumber {
				var p []float64
				for _, n := range list {
					p = append(p, n.(float64))
				}
				all = append(all, p)
				return
			}
		}
		for _, inner := range list {
			walk(inner)
		}
	}
	walk(g.Coordinates)
	for _, part := range g.Geometries {
		all = append(all, positions(t, part)...)
	}
	return all
}

// itemsOp: every collection answers, with every selection, alone and together.
func (s *suite) itemsOp() {
	for _, c := range s.collections() {
		for _, query := range []string{"", "?limit=3", "?bbox=-180,-90,180,90", "?datetime=2000-01-01/..", "?limit=2&bbox=-180,-90,180,90&datetime=../2030-01-01"} {
			got := s.get(s.items(c) + query)
			if got.StatusCode != http.StatusOK {
				s.Errorf("%s%s: %s", c.ID, query, got.Status)
			}
			s.valid(got, "featureCollection")
		}
	}
	// Both criteria hold together.
	both := decode[featurePage](s.T, s.get("/ogc/collections/towns/items?bbox=-180,-1,-170,1&datetime=2000-01-05/2000-01-20"))
	if both.ids() != "5 6 7 8 9 10 11" {
		s.Errorf("bbox and datetime: %s", both.ids())
	}
}

// parameter checks a parameter's definition.
func (s *suite) parameter(name, kind string) {
	p := dig(s.definition(), "components", "parameters", name)
	if dig(p, "name") != name || dig(p, "in") != "query" || dig(p, "required") != false || dig(p, "style") != "form" ||
		dig(p, "explode") != false || dig(p, "schema", "type") != kind {
		s.Errorf("%v", p)
	}
	if kind == "array" && (dig(p, "schema", "minItems") != 4.0 || dig(p, "schema", "maxItems") != 6.0 || dig(p, "schema", "items", "type") != "number") {
		s.Errorf("%v", p)
	}
	for _, path := range []string{"/collections/{collectionId}/items", "/collections/towns/items", "/collections/places/items"} {
		references, _ := dig(s.definition(), "paths", path, "get", "parameters").([]any)
		if !slices.ContainsFunc(references, func(r any) bool { return dig(r, "$ref") == "#/components/parameters/"+name }) {
			s.Errorf("%s does not name %s", path, name)
		}
	}
}

// bboxResponse: what meets the box, and what has no geometry; across the antimeridian too.
func (s *suite) bboxResponse() {
	for bbox, want := range map[string]string{
		"5,5,6,6":               "1 3", // inside the area
		"-180,-90,180,90":       "1 2 3 4",
		"-16,-15,-14,-14":       "2 3", // the line passes
		"-20,-12,-15,-10":       "3",   // the line's box meets it, the line does not
		"170,-20,-170,-10":      "3 4", // across the antimeridian
		"179.4,-17,179.6,-17":   "3 4", // no height
		"5,5,-100,6,6,100":      "1 3", // with heights
		"20,20,30,30":           "3",
		"-15,-15,-15,-15":       "2 3", // a point of the line
		"-15,-14,-15,-14":       "3",   // a point beside it
		"5,5,5,5":               "1 3", // a point inside the area
		"5,-5,5,15":             "1 3", // a line through the area
		"-30,-15,0,-15":         "2 3", // one through the line
		"179.5,-17,179.5,-17":   "3 4", // one of the points
		"180,-90,-180,90":       "3",   // the antimeridian itself
		"-179.6,-18,-179.4,-16": "3 4",
	} {
		page := decode[featurePage](s.T, s.get("/ogc/collections/places/items?bbox="+bbox))
		if page.ids() != want {
			s.Errorf("%s: %s, not %s", bbox, page.ids(), want)
		}
	}
}

// limitResponse: never more than limit, the default, and the maximum.
func (s *suite) limitResponse() {
	for _, c := range s.collections() {
		for _, limit := range []int{1, 3, 10, 99, 10_000, 1_000_000} {
			page := decode[featurePage](s.T, s.get(fmt.Sprintf("%s?limit=%d", s.items(c), limit)))
			if len(page.Features) > min(limit, 10_000) {
				s.Errorf("%s: %d features with limit %d", c.ID, len(page.Features), limit)
			}
		}
		if page := decode[featurePage](s.T, s.get(s.items(c))); len(page.Features) > 10 {
			s.Errorf("%s: %d features by default", c.ID, len(page.Features))
		}
	}
}

// timeResponse: what meets the instant or interval, and what has no time.
func (s *suite) timeResponse() {
	for datetime, want := range map[string]string{
		"2020-01-01T00:00:00Z":                      "1 2",
		"2020-01-01":                                "1 2",
		"2022-06-01T14:00:00+02:00":                 "2 3",
		"2020-01-01T00:00:00Z/2022-12-31T00:00:00Z": "1 2 3",
		"../2021-01-01T00:00:00Z":                   "1 2",
		"/2021-01-01T00:00:00Z":                     "1 2",
		"2023-01-01T00:00:00Z/..":                   "2 4",
		"2023-01-01T00:00:00Z/":                     "2 4",
		"1999-01-01T00:00:00.5Z":                    "2",
		"2019-12-31T23:59:60Z":                      "1 2", // a leap second
		"2020-01-01T00:00:00.0000001Z/2021-01-01":   "2",   // finer than any database keeps
		"2019-12-31/2020-01-01T00:00:00.0000001Z":   "1 2",
	} {
		page := decode[featurePage](s.T, s.get("/ogc/collections/places/items?datetime="+url.QueryEscape(datetime)))
		if page.ids() != want {
			s.Errorf("%s: %s, not %s", datetime, page.ids(), want)
		}
	}
	// A collection without a time is not limited by one.
	if page := decode[featurePage](s.T, s.get("/ogc/collections/odd%20id%2F%C3%A4/items?datetime=1999-01-01")); *page.NumberMatched != 100 {
		s.Errorf("%d features", *page.NumberMatched)
	}
}

// itemsResponse: a feature collection that is what its schema says and holds what was selected.
func (s *suite) itemsResponse() {
	for _, c := range s.collections() {
		got := s.get(s.items(c))
		s.valid(got, "featureCollection")
		if page := decode[featurePage](s.T, got); page.Type != "FeatureCollection" || len(page.Features) == 0 {
			s.Errorf("%s: %s of %d", c.ID, page.Type, len(page.Features))
		}
	}
	for query, want := range map[string]string{"kind=line": "2", "kind=nowhere&seen=2022-06-01T12:00:00Z": "3", "kind=x": "",
		"seen=2022-06-01T14:00:00%2B02:00": "3", "seen=2022-06-01T12:00:00.0000001Z": ""} {
		if page := decode[featurePage](s.T, s.get("/ogc/collections/places/items?"+query)); page.ids() != want {
			s.Errorf("%s: %s", query, page.ids())
		}
	}
}

// itemsLinks: self, every other format, and next until everything was seen; all with rel and type, which hold.
func (s *suite) itemsLinks() { testLinks(s.T, s.bench) }

func (s *suite) timeStamp() {
	for _, c := range s.collections() {
		page := decode[featurePage](s.T, s.get(s.items(c)))
		at, err := time.Parse(time.RFC3339, page.TimeStamp)
		if err != nil || at.Before(s.began) || at.After(time.Now()) {
			s.Errorf("%s: %s, %v", c.ID, page.TimeStamp, err)
		}
	}
}

// numberMatched: what all pages hold together, whatever the selection.
func (s *suite) numberMatched() {
	for _, query := range []string{"limit=7", "limit=7&port=true", "limit=7&bbox=-100,-1,-50,1", "limit=7&datetime=2000-02-01/.."} {
		total, matched := 0, -1
		for path := "/ogc/collections/towns/items?" + query; path != ""; {
			page := decode[featurePage](s.T, s.get(path))
			if matched >= 0 && *page.NumberMatched != matched {
				s.Errorf("%s: %d and %d", query, matched, *page.NumberMatched)
			}
			matched = *page.NumberMatched
			total += len(page.Features)
			next, _ := find(page.Links, "next")
			path = strings.TrimPrefix(next.Href, s.server.URL)
		}
		if total != matched || total == 0 {
			s.Errorf("%s: %d features, matched %d", query, total, matched)
		}
	}
}

func (s *suite) numberReturned() {
	for _, query := range []string{"", "?limit=3", "?offset=98", "?offset=1000", "?bbox=0,50,1,51"} {
		page := decode[featurePage](s.T, s.get("/ogc/collections/towns/items"+query))
		if *page.NumberReturned != len(page.Features) {
			s.Errorf("%s: %d of %d", query, *page.NumberReturned, len(page.Features))
		}
	}
}

// eachFeature visits the first features of every collection at the path of its id.
func (s *suite) eachFeature(visit func(c collection, path string)) {
	s.Helper()
	for _, c := range s.collections() {
		for _, f := range decode[featurePage](s.T, s.get(s.items(c)+"?limit=4")).Features {
			var id any
			if err := json.Unmarshal(f.ID, &id); err != nil {
				s.Fatal(err)
			}
			visit(c, s.items(c)+"/"+url.PathEscape(fmt.Sprint(id)))
		}
	}
}

func (s *suite) itemOp() {
	s.eachFeature(func(_ collection, path string) {
		if got := s.get(path); got.StatusCode != http.StatusOK {
			s.Errorf("%s: %s", path, got.Status)
		}
	})
	if got := s.get("/ogc/collections/towns/items/nothing"); got.StatusCode != http.StatusNotFound {
		s.Errorf("a feature that is not there: %s", got.Status)
	}
}

func (s *suite) itemSuccess() {
	s.eachFeature(func(_ collection, path string) { s.valid(s.get(path), "feature") })
}

// itemLinks: self, the other format, and the collection.
func (s *suite) itemLinks() {
	s.eachFeature(func(c collection, path string) {
		var f struct{ Links []link }
		if err := json.Unmarshal(s.get(path).body, &f); err != nil {
			s.Fatal(err)
		}
		collectionSelf, _ := find(c.Links, "self")
		self, okSelf := find(f.Links, "self")
		alternate, okAlternate := find(f.Links, "alternate")
		of, okOf := find(f.Links, "collection")
		if !okSelf || s.path(self) != path || self.Type != typeGeoJSON || !okAlternate || alternate.Type != typeJSON || !okOf || of.Href != collectionSelf.Href {
			s.Errorf("%s: %+v", path, f.Links)
		}
	})
}

// geojsonDefinition: application/geo+json is offered for every resource with features.
func (s *suite) geojsonDefinition() {
	for _, path := range []string{"/ogc/collections/towns/items", "/ogc/collections/towns/items/1"} {
		if got := s.get(path, "Accept", typeGeoJSON); got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != typeGeoJSON {
			s.Errorf("%s: %s %s", path, got.Status, got.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/ogc", "/ogc/collections", "/ogc/collections/towns", "/ogc/conformance"} {
		if got := s.get(path, "Accept", typeJSON); got.Header.Get("Content-Type") != typeJSON {
			s.Errorf("%s: %s", path, got.Header.Get("Content-Type"))
		}
	}
}

// geojsonContent: collections and features are those of RFC 7946, in every format and selection.
func (s *suite) geojsonContent() {
	for _, c := range s.collections() {
		for _, query := range []string{"", "?f=geojson", "?f=json", "?limit=1000"} {
			s.valid(s.get(s.items(c)+query), "featureCollection")
		}
	}
	s.eachFeature(func(_ collection, path string) {
		s.valid(s.get(path), "feature")
		s.valid(s.get(path+"?f=json"), "feature")
	})
}
