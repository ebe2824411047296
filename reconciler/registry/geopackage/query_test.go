package geopackage

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/planar"
)

func TestFeatures(t *testing.T) {
	dir := t.TempDir()
	towns(t, dir)
	source := mustOpen(t, dir, "File=towns.gpkg")
	want := []string{
		`{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[2.35,48.86]},"properties":{"name":"Paris","population":2100000,"area":105.4,"capital":true,"founded":"0250-01-01","seen":"2026-01-02T03:04:05.000Z","extra":{"a":1}}}`,
		`{"type":"Feature","id":2,"geometry":{"type":"Point","coordinates":[178.44,-18.14]},"properties":{"name":"Suva \"west\"","population":93000,"area":2048,"capital":true,"founded":"1882-05-01","seen":"1882-05-01 00:00:00","extra":"no json"}}`,
		`{"type":"Feature","id":3,"geometry":{"type":"Point","coordinates":[-179.99,-18]},"properties":{"name":"Suva \u003ceast\u003e","population":null,"area":null,"capital":false,"founded":null,"seen":null,"extra":null}}`,
		`{"type":"Feature","id":4,"geometry":null,"properties":{"name":null,"population":null,"area":null,"capital":null,"founded":null,"seen":null,"extra":null}}`,
	}
	got, page := collect(t, source, townLayer(), registry.Query{})
	for i := range want {
		if i >= len(got) || got[i] != want[i] || !json.Valid([]byte(got[i])) {
			t.Errorf("feature %d\n got %s\nwant %s", i, got[i], want[i])
		}
	}
	if page != (registry.Page{Matched: 4, Returned: 4}) {
		t.Errorf("%+v", page)
	}
	all := townLayer()
	all.Properties = nil
	if got, _ := collect(t, source, all, registry.Query{Limit: 1}); !strings.Contains(got[0], `"properties":{"fid":1,"name":"Paris"`) || strings.Contains(got[0], "picture") {
		t.Errorf("%s", got[0])
	}
	if version, err := source.Version(t.Context()); version == "" || err != nil {
		t.Errorf("version %q, %v", version, err)
	}
}

func TestSelection(t *testing.T) {
	dir := t.TempDir()
	towns(t, dir)
	source := mustOpen(t, dir, "towns.gpkg")
	box := func(minX, minY, maxX, maxY float64) *registry.BBox {
		return &registry.BBox{MinX: minX, MinY: minY, MaxX: maxX, MaxY: maxY}
	}
	filter := func(name string, value any) []registry.Filter {
		return []registry.Filter{{Property: name, Value: value}}
	}
	day := time.Date(1882, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		query   registry.Query
		ids     string
		matched int
	}{
		"page":           {registry.Query{Limit: 2, Offset: 1}, "2 3", 4},
		"past the end":   {registry.Query{Limit: 2, Offset: 9}, "", 4},
		"bbox":           {registry.Query{BBox: box(0, 40, 10, 50)}, "1 4", 2},
		"a hair beside":  {registry.Query{BBox: box(2.3500001, 48, 3, 49)}, "4", 1},
		"antimeridian":   {registry.Query{BBox: box(170, -20, -170, 0)}, "2 3 4", 3},
		"Mercator":       {registry.Query{BBox: &registry.BBox{MinX: 261000, MinY: 6251000, MaxX: 262000, MaxY: 6252000, SRID: 3857}}, "1 4", 2},
		"paged bbox":     {registry.Query{Limit: 1, Offset: 1, BBox: box(-180, -90, 180, 90)}, "2", 4},
		"string":         {registry.Query{Filters: filter("name", `Suva "west"`)}, "2", 1},
		"integer":        {registry.Query{Filters: filter("population", int64(93000))}, "2", 1},
		"number":         {registry.Query{Filters: filter("area", 105.4)}, "1", 1},
		"boolean":        {registry.Query{Filters: filter("capital", true)}, "1 2", 2},
		"date":           {registry.Query{Filters: filter("founded", "1882-05-01")}, "2", 1},
		"datetime":       {registry.Query{Filters: filter("seen", day)}, "2", 1},
		"wrong kind":     {registry.Query{Filters: filter("name", int64(1))}, "", 0},
		"unknown":        {registry.Query{Filters: filter(`name" OR 1=1 --`, "x")}, "", 0},
		"interval":       {registry.Query{Time: &registry.Time{Property: "seen", From: day, To: day}}, "2 3 4", 3},
		"open interval":  {registry.Query{Time: &registry.Time{Property: "founded", To: day.Add(-time.Hour)}}, "1 3 4", 3},
		"two conditions": {registry.Query{BBox: box(-180, -90, 180, 90), Filters: filter("capital", true), Limit: 1}, "1", 2},
	} {
		features, page := collect(t, source, townLayer(), test.query)
		var ids []string
		for _, f := range features {
			var feature struct{ ID json.Number }
			if err := json.Unmarshal([]byte(f), &feature); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, feature.ID.String())
		}
		if strings.Join(ids, " ") != test.ids || page.Matched != test.matched || page.Returned != len(ids) {
			t.Errorf("%s: %v, %+v; want %s of %d", name, ids, page, test.ids, test.matched)
		}
	}
	emit := func([]byte) error { return nil }
	for _, q := range []registry.Query{{Limit: 1, CRS: registry.CRS{SRID: 25832}}, {Limit: 1, BBox: &registry.BBox{SRID: 25832}}} {
		if _, err := source.Query(t.Context(), townLayer(), q, emit); !errors.Is(err, registry.ErrCRS) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestGet(t *testing.T) {
	dir := t.TempDir()
	towns(t, dir)
	source := mustOpen(t, dir, "towns.gpkg")
	for _, test := range []struct{ column, id, want string }{
		{"", "2", `"id":2,`}, {"name", "Paris", `"id":"Paris"`}, {"", "5", ""}, {"", "02", ""}, {"", "1 OR 1=1", ""}, {"name", "paris", ""},
		{"name", `' OR '1'='1`, ""},
	} {
		layer := townLayer()
		layer.IDColumn = test.column
		got, err := source.Get(t.Context(), layer, test.id, registry.CRS{SRID: 4326, NorthFirst: true})
		if test.want == "" && !errors.Is(err, registry.ErrFeatureNotFound) || test.want != "" && !strings.Contains(string(got), test.want) {
			t.Errorf("%+v: %s, %v", test, got, err)
		}
	}
}

// What a box finds is what the geometries themselves say, with and without an R-tree, for lines and points.
func TestBoxesFindWhatGeometriesSay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) orb.LineString {
			x, y := rapid.Float64Range(-170, 170).Draw(r, "x"), rapid.Float64Range(-80, 80).Draw(r, "y")
			if rapid.Bool().Draw(r, "point") {
				return orb.LineString{{x, y}}
			}
			return orb.LineString{{x, y}, {x + rapid.Float64Range(-10, 10).Draw(r, "dx"), y + rapid.Float64Range(-10, 10).Draw(r, "dy")}}
		}), 0, 30).Draw(r, "lines")
		dir := t.TempDir()
		g := newGPKG(t, filepath.Join(dir, "x.gpkg"))
		g.table("x", "fid INTEGER PRIMARY KEY, geom BLOB", "GEOMETRY", 4326)
		boxes := make(map[int]orb.Bound)
		for i, line := range lines {
			boxes[i+1] = line.Bound()
			blob := lineBlob(line)
			if len(line) == 1 {
				blob = pointBlob(line[0])
			}
			g.run("INSERT INTO x VALUES (?, ?)", i+1, blob)
		}
		if rapid.Bool().Draw(r, "indexed") {
			g.rtree("x", boxes)
		}
		source := mustOpen(t, dir, "x.gpkg")
		b := registry.BBox{MinX: rapid.Float64Range(-180, 170).Draw(r, "west"), MinY: rapid.Float64Range(-90, 80).Draw(r, "south")}
		b.MaxX, b.MaxY = b.MinX+rapid.Float64Range(0, 60).Draw(r, "width"), b.MinY+rapid.Float64Range(0, 60).Draw(r, "height")
		var want []string
		for i, line := range lines {
			var geometry orb.Geometry = line
			if len(line) == 1 {
				geometry = line[0]
			}
			if planar.Intersects(geometry, orb.Bound{Min: orb.Point{b.MinX, b.MinY}, Max: orb.Point{b.MaxX, b.MaxY}}) {
				want = append(want, fmt.Sprintf(`"id":%d,`, i+1))
			}
		}
		got, page := collect(t, source, &catalog.Layer{Table: "x", GeometryColumn: "geom"}, registry.Query{BBox: &b})
		same := slices.EqualFunc(got, want, strings.Contains)
		if !same || page.Matched != len(want) {
			r.Fatalf("%+v: %v; want %v", b, got, want)
		}
	})
}

// An R-tree rounds what is too small for a 32-bit float to 0.
func TestBoxNextToNothing(t *testing.T) {
	dir := t.TempDir()
	g := newGPKG(t, filepath.Join(dir, "x.gpkg"))
	g.table("x", "fid INTEGER PRIMARY KEY, geom BLOB", "GEOMETRY", 4326)
	tiny := orb.Point{1.448908652612274e-70, 0.3125}
	g.run("INSERT INTO x VALUES (?, ?)", 1, pointBlob(tiny))
	g.rtree("x", map[int]orb.Bound{1: tiny.Bound()})
	b := registry.BBox{MinX: 6.249364203645695e-79, MinY: -1, MaxX: 60, MaxY: 4}
	_, page := collect(t, mustOpen(t, dir, "x.gpkg"), &catalog.Layer{Table: "x", GeometryColumn: "geom"}, registry.Query{BBox: &b})
	if page.Matched != 1 {
		t.Errorf("%d features, not 1", page.Matched)
	}
}

func FuzzParseBlob(f *testing.F) {
	f.Add(pointBlob(orb.Point{1, 2}))
	f.Add(lineBlob(orb.LineString{{1, 2}, {3, 4}}))
	f.Add([]byte("GP\x00\x3f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		parsed, err := parseBlob(b)
		if err != nil && !errors.Is(err, errBlob) {
			t.Fatal(err)
		}
		if parsed.bounded && math.IsNaN(parsed.envelope.Min[0]) {
			t.Fatal("a box of nothing")
		}
		if found, err := meets(b, []orb.Bound{{Max: orb.Point{1, 1}}}); found && err != nil {
			t.Fatal(err)
		}
	})
}
