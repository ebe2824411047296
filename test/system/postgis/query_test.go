//go:build system

package postgis

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

func TestPostGISQueries(t *testing.T) {
	d := newDatabase(t, newServer(t), "queries", citiesSchema)
	source := d.open()
	t.Run("features", func(t *testing.T) { checkFeatures(t, source) })
	t.Run("selection", func(t *testing.T) { checkSelection(t, source) })
	t.Run("filters", func(t *testing.T) { checkFilters(t, source) })
	t.Run("ids", func(t *testing.T) { checkIDs(t, d, source) })
	t.Run("reference systems", func(t *testing.T) { checkReferenceSystems(t, d, source) })
	t.Run("shapes", func(t *testing.T) { checkShapes(t, d, source) })
	t.Run("injection", func(t *testing.T) { checkInjection(t, d, source) })
	t.Run("socket", func(t *testing.T) { checkSocket(t, d) })
}

func checkFeatures(t *testing.T, source registry.Source) {
	features, page := ask(t, source, citiesLayer(allProperties()...), registry.Query{})
	want := []string{
		`{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[2.35,48.86]},"properties":{"name":"Paris","population":2100000,"area":105.4,"capital":true,"founded":"0250-01-01","seen":"2026-01-02T02:04:05.25Z","noted":"2026-01-02T03:04:05Z","opens":"08:30:00","code":"11111111-2222-3333-4444-555555555555","extra":{"a": [1, "x"]},"tags":["a","b c"],"price":10.50,"letter":"FR ","kind":"city"}}`,
		`{"type":"Feature","id":2,"geometry":{"type":"Point","coordinates":[178.44,-18.14]},"properties":{"name":"Suva \"west\"","population":93000,"area":2048,"capital":true,"founded":"1882-05-01","seen":"1882-05-01T00:00:00Z","noted":null,"opens":null,"code":null,"extra":null,"tags":null,"price":null,"letter":null,"kind":null}}`,
		`{"type":"Feature","id":3,"geometry":{"type":"Point","coordinates":[-179.99,-18]},"properties":{"name":"Suva <&> \\ \t east","population":1,"area":null,"capital":false,"founded":null,"seen":null,"noted":null,"opens":null,"code":null,"extra":null,"tags":null,"price":null,"letter":null,"kind":null}}`,
		`{"type":"Feature","id":4,"geometry":null,"properties":{"name":null,"population":null,"area":null,"capital":null,"founded":null,"seen":null,"noted":null,"opens":null,"code":null,"extra":null,"tags":null,"price":null,"letter":null,"kind":null}}`,
	}
	for i, f := range features {
		if !json.Valid([]byte(f)) || i >= len(want) || f != want[i] {
			t.Errorf("feature %d\n got %s\nwant %s", i, f, want[i])
		}
	}
	if page != (registry.Page{Matched: 4, Returned: 4}) {
		t.Errorf("%+v", page)
	}
	undeclared, _ := ask(t, source, citiesLayer(), registry.Query{Limit: 1})
	if !strings.Contains(undeclared[0], `"properties":{"id":1,"name":"Paris"`) {
		t.Errorf("%s", undeclared[0])
	}
}

// checkSocket reads over the server's Unix socket, in both styles of connection string.
func checkSocket(t *testing.T, d *database) {
	for _, connection := range []string{
		d.server.Socket(reader, password, d.name),
		fmt.Sprintf("postgres://%s:%s@/%s?host=%s&port=%d", reader, password, d.name, d.server.Dir, d.server.Port),
	} {
		source, err := openSource(t, connection)
		if err != nil {
			t.Fatal(err)
		}
		if features, _ := ask(t, source, citiesLayer(allProperties()...), registry.Query{Limit: 1}); len(features) != 1 || !strings.Contains(features[0], "Paris") {
			t.Errorf("%s", features)
		}
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}
}

func at(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return parsed
}

func checkSelection(t *testing.T, source registry.Source) {
	box := func(minX, minY, maxX, maxY float64) *registry.BBox {
		return &registry.BBox{MinX: minX, MinY: minY, MaxX: maxX, MaxY: maxY}
	}
	for name, test := range map[string]struct {
		query   registry.Query
		ids     []int
		matched int
	}{
		"limit":           {registry.Query{Limit: 2}, []int{1, 2}, 4},
		"offset":          {registry.Query{Limit: 2, Offset: 3}, []int{4}, 4},
		"past the end":    {registry.Query{Limit: 2, Offset: 1 << 31}, nil, 4},
		"bbox":            {registry.Query{BBox: box(0, 40, 10, 50)}, []int{1, 4}, 2},
		"on the boundary": {registry.Query{BBox: box(2.35, 48.86, 2.35, 48.86)}, []int{1, 4}, 2},
		"a hair beside":   {registry.Query{BBox: box(2.3500001, 48, 3, 49)}, []int{4}, 1},
		"antimeridian":    {registry.Query{BBox: box(170, -20, -170, 0)}, []int{2, 3, 4}, 3},
		"world":           {registry.Query{BBox: box(-180, -90, 180, 90)}, []int{1, 2, 3, 4}, 4},
		"world, in Mercator": {registry.Query{BBox: &registry.BBox{MinX: -2.1e7, MinY: -2.1e7, MaxX: 2.1e7, MaxY: 2.1e7, SRID: 3857}},
			[]int{1, 2, 3, 4}, 4},
		"paged box": {registry.Query{Limit: 1, Offset: 1, BBox: box(-180, -90, 180, 90)}, []int{2}, 4},
		"interval": {registry.Query{Time: &registry.Time{Property: "founded", From: at("1882-05-01T12:00:00Z"), To: at("1899-01-01T00:00:00Z")}},
			[]int{2, 4}, 2},
		"open interval": {registry.Query{Time: &registry.Time{Property: "seen", From: at("2026-01-02T02:04:05.25Z")}}, []int{1, 3, 4}, 3},
		"everything at once": {registry.Query{BBox: box(0, 0, 90, 90), Time: &registry.Time{Property: "seen", To: at("2027-01-01T00:00:00Z")},
			Filters: []registry.Filter{{Property: "name", Value: "Paris"}, {Property: "capital", Value: true}}}, []int{1}, 1},
	} {
		features, page := ask(t, source, citiesLayer(allProperties()...), test.query)
		if got := idsOf(t, features); !slices.Equal(got, test.ids) || page.Matched != test.matched || page.Returned != len(test.ids) {
			t.Errorf("%s: %v, %+v; want %v of %d", name, got, page, test.ids, test.matched)
		}
	}
}

func idsOf(t *testing.T, features []string) (ids []int) {
	t.Helper()
	for _, f := range features {
		var feature struct{ ID int }
		if err := json.Unmarshal([]byte(f), &feature); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		ids = append(ids, feature.ID)
	}
	return ids
}

func checkFilters(t *testing.T, source registry.Source) {
	for _, test := range []struct {
		property string
		value    any
		ids      []int
	}{
		{"name", `Suva "west"`, []int{2}}, {"name", "paris", nil}, {"name", "", nil}, {"name", "Paris\x00", nil}, {"name", "\xff", nil},
		{"population", int64(93000), []int{2}}, {"population", float64(93000), []int{2}}, {"population", 93000.5, nil},
		{"population", int64(-1 << 63), nil}, {"area", 105.4, []int{1}}, {"area", int64(2048), []int{2}},
		{"capital", true, []int{1, 2}}, {"capital", "true", nil}, {"founded", "1882-05-01", []int{2}}, {"founded", "no date", nil},
		{"seen", at("2026-01-02T03:04:05.25+01:00"), []int{1}}, {"noted", at("2026-01-02T03:04:05Z"), []int{1}},
		{"opens", "08:30:00", []int{1}}, {"code", "11111111-2222-3333-4444-555555555555", []int{1}}, {"code", "x", nil},
		{"price", 10.5, []int{1}}, {"price", int64(10), nil}, {"letter", "FR ", []int{1}}, {"kind", "city", []int{1}},
		{"nothing", "x", nil}, {"id", int64(1), nil},
	} {
		q := registry.Query{Filters: []registry.Filter{{Property: test.property, Value: test.value}}}
		features, page := ask(t, source, citiesLayer(allProperties()...), q)
		if got := idsOf(t, features); !slices.Equal(got, test.ids) || page.Matched != len(test.ids) {
			t.Errorf("%s = %#v: %v, %+v; want %v", test.property, test.value, got, page, test.ids)
		}
	}
}

func checkIDs(t *testing.T, d *database, source registry.Source) {
	layer := citiesLayer(catalog.Property{Name: "name", Type: "string"})
	for _, test := range []struct{ column, id, want string }{
		{"", "1", `"id":1,`}, {"id", "2", `"id":2,`}, {"name", "Paris", `"id":"Paris"`}, {"code", "11111111-2222-3333-4444-555555555555", `"id":"11111111-`},
		{"price", "10.50", `"id":"10.50"`},
		{"", "5", ""}, {"", "01", ""}, {"", "1 OR 1=1", ""}, {"", "99999999999999999999", ""}, {"name", "paris", ""}, {"name", "a\x00", ""},
		{"code", "nonsense", ""}, {"price", "\xff", ""},
	} {
		by := *layer
		by.IDColumn = test.column
		got, err := source.Get(t.Context(), &by, test.id, registry.CRS{})
		if test.want == "" && !errors.Is(err, registry.ErrFeatureNotFound) || test.want != "" && !strings.Contains(string(got), test.want) {
			t.Errorf("%+v: %s, %v", test, got, err)
		}
	}
	d.run(`CREATE VIEW public.big AS SELECT id, geom, name FROM public.cities; GRANT SELECT ON public.big TO ` + reader)
	layer = &catalog.Layer{Table: "big", GeometryColumn: "geom", GeometryType: "Point", SRID: 4326, IDColumn: "id"}
	if features, _ := ask(t, source, layer, registry.Query{Limit: 3}); len(features) != 3 {
		t.Errorf("a view shows %v", features)
	}
}

func checkReferenceSystems(t *testing.T, d *database, source registry.Source) {
	d.run(`CREATE TABLE public.utm (id serial PRIMARY KEY, geom geometry(Point, 25832) NOT NULL);
		INSERT INTO public.utm (geom) SELECT ST_Transform(ST_SetSRID(ST_Point(x, y), 4326), 25832)
		FROM generate_series(6, 12) x, generate_series(46, 52) y;
		CREATE INDEX ON public.utm USING gist (geom); GRANT SELECT ON public.utm TO ` + reader)
	utm := &catalog.Layer{Table: "public.utm", GeometryColumn: "geom", GeometryType: "Point", SRID: 25832}
	degrees, _ := ask(t, source, utm, registry.Query{Limit: 1})
	if !strings.Contains(degrees[0], `"coordinates":[6,46]`) && !strings.Contains(degrees[0], `"coordinates":[6,45.999999999]`) {
		t.Errorf("CRS84: %s", degrees[0])
	}
	swapped, _ := ask(t, source, utm, registry.Query{Limit: 1, CRS: registry.CRS{SRID: 4326, NorthFirst: true}})
	if !strings.Contains(swapped[0], `,6]`) {
		t.Errorf("EPSG:4326: %s", swapped[0])
	}
	own, _ := ask(t, source, utm, registry.Query{Limit: 1, CRS: registry.CRS{SRID: 25832}})
	if !strings.Contains(own[0], `"coordinates":[2677`) {
		t.Errorf("EPSG:25832: %s", own[0])
	}
	for name, test := range map[string]struct {
		box  registry.BBox
		want int
	}{
		"small":                    {registry.BBox{MinX: 7.5, MinY: 47.5, MaxX: 9.5, MaxY: 49.5}, 4},
		"point":                    {registry.BBox{MinX: 8.999999, MinY: 48.999999, MaxX: 9.000001, MaxY: 49.000001}, 1},
		"large":                    {registry.BBox{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}, 49},
		"far":                      {registry.BBox{MinX: -171, MinY: -12, MaxX: -170, MaxY: -11}, 0},
		"where no projection goes": {registry.BBox{MinX: 98, MinY: -1, MaxX: 100, MaxY: 1}, 0},
		"own":                      {registry.BBox{MinX: 600000, MinY: 5000000, MaxX: 800000, MaxY: 6000000, SRID: 25832}, 14},
		"Mercator":                 {registry.BBox{MinX: 834900, MinY: 6022000, MaxX: 1057600, MaxY: 6361000, SRID: 3857}, 4},
	} {
		features, page := ask(t, source, utm, registry.Query{BBox: &test.box})
		if len(features) != test.want || page.Returned != test.want {
			t.Errorf("%s: %d features, %+v; want %d", name, len(features), page, test.want)
		}
	}
	if _, _, err := tryAsk(t.Context(), source, utm, registry.Query{BBox: &registry.BBox{SRID: 2056}}); !errors.Is(err, registry.ErrCRS) {
		t.Errorf("a bbox in another system: %v", err)
	}
}

// checkShapes compares every type of geometry with what PostGIS itself makes of it.
func checkShapes(t *testing.T, d *database, source registry.Source) {
	wkts := []string{
		"POINT(1 2)", "POINT Z(1 2 3)", "POINTM(1 2 3)", "POINT EMPTY", "LINESTRING(1 2,3 4)", "LINESTRING ZM(1 2 3 4,5 6 7 8)",
		"POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))", "MULTIPOINT(1 2,3 4)", "MULTILINESTRING((1 2,3 4),(5 6,7 8))",
		"MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))", "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))",
		"GEOMETRYCOLLECTION EMPTY", "POLYGON EMPTY", "POINT(-179.123456789123 0.1)",
	}
	sql := "CREATE TABLE public.shapes (id serial PRIMARY KEY, geom geometry, want text);"
	for _, wkt := range wkts {
		sql += fmt.Sprintf("INSERT INTO public.shapes (geom, want) SELECT g, ST_AsGeoJSON(g) FROM (SELECT ST_GeomFromText('%s', 4326)) s(g);", wkt)
	}
	d.run(sql + "GRANT SELECT ON public.shapes TO " + reader)
	layer := &catalog.Layer{Table: "public.shapes", GeometryColumn: "geom", GeometryType: "Geometry", SRID: 4326,
		Properties: []catalog.Property{{Name: "want", Type: "string"}}}
	features, _ := ask(t, source, layer, registry.Query{})
	if len(features) != len(wkts) {
		t.Fatalf("%d of %d features", len(features), len(wkts))
	}
	for i, text := range features {
		var feature struct {
			Geometry   json.RawMessage
			Properties struct{ Want string }
		}
		if err := json.Unmarshal([]byte(text), &feature); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want := strings.ReplaceAll(feature.Properties.Want, " ", "")
		if wkts[i] == "POINT EMPTY" {
			want = "null"
		}
		if string(feature.Geometry) != want {
			t.Errorf("%s:\n got %s\nwant %s", wkts[i], feature.Geometry, want)
		}
	}
}
