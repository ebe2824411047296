package geojson

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/planar"
)

func collect(t testing.TB, s registry.Source, layer *catalog.Layer, q registry.Query) []string {
	t.Helper()
	var got []string
	page, err := s.Query(t.Context(), layer, q, func(feature []byte) error {
		if !json.Valid(feature) {
			t.Fatalf("not JSON: %s", feature)
		}
		got = append(got, string(feature))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if page.Returned != len(got) {
		t.Errorf("returned %d, emitted %d", page.Returned, len(got))
	}
	return got
}

func cityLayer() *catalog.Layer {
	return &catalog.Layer{ID: "cities", GeometryType: "Point", SRID: 4326, Properties: []catalog.Property{
		{Name: "name", Type: "string"}, {Name: "population", Type: "integer"}, {Name: "capital", Type: "boolean"},
		{Name: "founded", Type: "date"}, {Name: "area", Type: "number"},
	}}
}

func at(text string) time.Time {
	t, _ := time.Parse(time.DateOnly, text)
	return t
}

// Feature 4 has neither a place nor a time: it meets every box and every interval (/req/core/fc-bbox-response C,
// /req/core/fc-time-response C).
func TestQuerySelects(t *testing.T) {
	d, _ := testDriver(t, map[string]string{"cities.geojson": cities})
	s := open(t, d, "cities.geojson")
	box := func(a, b, c, d float64) *registry.BBox { return &registry.BBox{MinX: a, MinY: b, MaxX: c, MaxY: d} }
	equal := func(name string, value any) []registry.Filter {
		return []registry.Filter{{Property: name, Value: value}}
	}
	for name, test := range map[string]struct {
		query   registry.Query
		want    []int
		matched int
	}{
		"all":                  {registry.Query{Limit: 10}, []int{1, 2, 3, 4}, 4},
		"limit":                {registry.Query{Limit: 2}, []int{1, 2}, 4},
		"offset":               {registry.Query{Limit: 2, Offset: 3}, []int{4}, 4},
		"past the end":         {registry.Query{Limit: 2, Offset: 1 << 31}, nil, 4},
		"bbox":                 {registry.Query{Limit: 9, BBox: box(0, 40, 10, 50)}, []int{1, 4}, 2},
		"bbox on the boundary": {registry.Query{Limit: 9, BBox: box(2.35, 48.86, 2.35, 48.86)}, []int{1, 4}, 2},
		"bbox antimeridian":    {registry.Query{Limit: 9, BBox: box(170, -20, -170, 0)}, []int{2, 3, 4}, 3},
		"bbox world":           {registry.Query{Limit: 9, BBox: box(-180, -90, 180, 90)}, []int{1, 2, 3, 4}, 4},
		"bbox paged":           {registry.Query{Limit: 1, Offset: 1, BBox: box(-180, -90, 180, 90)}, []int{2}, 4},
		"escaped string":       {registry.Query{Limit: 9, Filters: equal("name", "Suva <&> east")}, []int{3}, 1},
		"quoted string":        {registry.Query{Limit: 9, Filters: equal("name", `Suva "west"`)}, []int{2}, 1},
		"integer":              {registry.Query{Limit: 9, Filters: equal("population", int64(93000))}, []int{2}, 1},
		"zero is not null":     {registry.Query{Limit: 9, Filters: equal("population", int64(0))}, []int{4}, 1},
		"number":               {registry.Query{Limit: 9, Filters: equal("area", 26.0)}, []int{2}, 1},
		"boolean":              {registry.Query{Limit: 9, Filters: equal("capital", true)}, []int{1, 3}, 2},
		"two filters": {registry.Query{Limit: 9, Filters: append(equal("capital", true), equal("area", 1.5)...)},
			[]int{3}, 1},
		"string is no number": {registry.Query{Limit: 9, Filters: equal("name", int64(1))}, nil, 0},
		"time": {registry.Query{Limit: 9, Time: &registry.Time{Property: "founded", From: at("1882-05-01"), To: at("1899-01-01")}},
			[]int{2, 4}, 2},
		"open time": {registry.Query{Limit: 9, Time: &registry.Time{Property: "founded", To: at("1882-05-01")}}, []int{1, 2, 4}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			page, err := s.Query(t.Context(), cityLayer(), test.query, func(feature []byte) error {
				var f struct{ ID int }
				if err := json.Unmarshal(feature, &f); err != nil {
					return err
				}
				got = append(got, f.ID)
				return nil
			})
			if err != nil || !slices.Equal(got, test.want) || page.Matched != test.matched {
				t.Errorf("got %v of %d, %v; want %v of %d", got, page.Matched, err, test.want, test.matched)
			}
		})
	}
}

func TestFeatureShape(t *testing.T) {
	d, _ := testDriver(t, map[string]string{"cities.geojson": cities})
	s := open(t, d, "cities.geojson")
	for name, test := range map[string]struct {
		layer catalog.Layer
		want  string
	}{
		"declared properties only, in their order, null where missing": {
			catalog.Layer{Properties: []catalog.Property{{Name: "population"}, {Name: `odd "name"`}, {Name: "name"}}},
			`{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[2.35,48.86]},"properties":{"population":2100000,"odd \"name\"":null,"name":"Paris"}}`,
		},
		"all properties where none is declared": {
			catalog.Layer{},
			`{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[2.35,48.86]},"properties":{"name":"Paris","population":2100000,"capital":true,"founded":"0250-01-01","area":105.4}}`,
		},
		"as the file has them": {
			*cityLayer(),
			`{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[2.35,48.86]},"properties":{"name":"Paris","population":2100000,"capital":true,"founded":"0250-01-01","area":105.4}}`,
		},
		"id column": {
			catalog.Layer{IDColumn: "name", Properties: []catalog.Property{{Name: "capital"}}},
			`{"type":"Feature","id":"Paris","geometry":{"type":"Point","coordinates":[2.35,48.86]},"properties":{"capital":true}}`,
		},
	} {
		if got := collect(t, s, &test.layer, registry.Query{Limit: 1}); got[0] != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got[0], test.want)
		}
	}
}

func TestGet(t *testing.T) {
	noIDs := strings.NewReplacer(`"id": 1, `, "", `"id": 2, `, "", `"id": 3, `, "", `"id": 4, `, "").Replace(cities)
	d, _ := testDriver(t, map[string]string{"cities.geojson": cities, "plain.geojson": noIDs})
	for _, test := range []struct{ file, column, id, want string }{
		{"cities.geojson", "", "3", `"id":3`},
		{"cities.geojson", "name", "Paris", `"id":"Paris"`},
		{"cities.geojson", "name", `Suva "west"`, `"id":"Suva \"west\""`},
		{"cities.geojson", "name", "Suva <&> east", `"name":"Su\u0076a <&> east"`},
		{"plain.geojson", "", "4", `"id":4`},
		{"cities.geojson", "", "5", ""},
		{"cities.geojson", "", "01", ""},
		{"cities.geojson", "", "1 OR 1=1", ""},
		{"cities.geojson", "name", "paris", ""},
		{"plain.geojson", "", "0", ""},
		{"plain.geojson", "", "04", ""},
		{"plain.geojson", "", "+4", ""},
		{"plain.geojson", "", "99999999999999999999", ""},
		{"cities.geojson", "nothing", "1", ""},
	} {
		got, err := open(t, d, test.file).Get(t.Context(), &catalog.Layer{IDColumn: test.column}, test.id, registry.CRS{})
		if test.want == "" {
			if !errors.Is(err, registry.ErrFeatureNotFound) {
				t.Errorf("%+v: %s, %v", test, got, err)
			}
			continue
		}
		if err != nil || !strings.Contains(string(got), test.want) {
			t.Errorf("%+v: %s, %v", test, got, err)
		}
	}
}

func TestQueryStops(t *testing.T) {
	d, _ := testDriver(t, map[string]string{"points.geojson": points(5000)})
	s := open(t, d, "points.geojson")
	stop := errors.New("client gone")
	if _, err := s.Query(t.Context(), &catalog.Layer{}, registry.Query{Limit: 9}, func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	emit := func([]byte) error { return nil }
	for _, q := range []registry.Query{{Limit: 5000}, {Limit: 1, Filters: []registry.Filter{{Property: "n", Value: int64(-1)}}}} {
		if _, err := s.Query(ctx, &catalog.Layer{}, q, emit); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	}
}

// points is a collection of n points in a reproducible disorder.
func points(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"Feature","geometry":{"type":"Point","coordinates":[%.4f,%.4f]},"properties":{"n":%d,"name":"point %d"}}`,
			random.Float64()*360-180, random.Float64()*180-90, i, i)
	}
	b.WriteString("]}")
	return b.String()
}

func TestTreeFindsWhatAScanFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 15, 16, 17, 300, 5000} {
		boxes := make([]box, n)
		for i := range boxes {
			x, y := random.Float64()*360-180, random.Float64()*180-90
			boxes[i] = box{x, y, x + random.Float64(), y + random.Float64()}
			if i%7 == 3 {
				boxes[i] = nowhere()
			}
		}
		index := newTree(boxes)
		for range 50 {
			x, y := random.Float64()*360-180, random.Float64()*180-90
			area := box{x, y, x + random.Float64()*90, y + random.Float64()*90}
			var want, got []uint32
			for i, b := range boxes {
				if b.meets(area) {
					want = append(want, uint32(i))
				}
			}
			index.search(area, func(item uint32) { got = append(got, item) })
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("n=%d: found %d, want %d", n, len(got), len(want))
			}
		}
	}
}

func TestIntersects(t *testing.T) {
	b := orb.Bound{Min: orb.Point{0, 0}, Max: orb.Point{2, 2}}
	for _, test := range []struct {
		geometry string
		want     bool
	}{
		{`{"type":"Point","coordinates":[2,2]}`, true},
		{`{"type":"MultiPoint","coordinates":[[9,9],[1,1]]}`, true},
		{`{"type":"LineString","coordinates":[[-1,1],[3,1]]}`, true},
		{`{"type":"LineString","coordinates":[[-1,2],[1,4]]}`, false},
		{`{"type":"LineString","coordinates":[[-1,0],[-1,5]]}`, false},
		{`{"type":"LineString","coordinates":[[3,3],[2,2]]}`, true},
		{`{"type":"MultiLineString","coordinates":[[[5,5],[6,6]],[[0,-1],[0,3]]]}`, true},
		{`{"type":"Polygon","coordinates":[[[-9,-9],[9,-9],[9,9],[-9,9],[-9,-9]]]}`, true},
		{`{"type":"Polygon","coordinates":[[[-9,-9],[9,-9],[9,9],[-9,9],[-9,-9]],[[-5,-5],[5,-5],[5,5],[-5,5],[-5,-5]]]}`, false},
		{`{"type":"Polygon","coordinates":[[[-3,-1],[-1,-1],[-1,5],[5,5],[5,6],[-3,6],[-3,-1]]]}`, false},
		{`{"type":"MultiPolygon","coordinates":[[[[1,1],[1.5,1],[1.5,1.5],[1,1]]]]}`, true},
		{`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[9,9]},{"type":"Point","coordinates":[1,1]}]}`, true},
		{`{"type":"GeometryCollection","geometries":[]}`, false},
	} {
		geometry, err := parseGeometry([]byte(test.geometry))
		if err != nil {
			t.Fatalf("%s: %v", test.geometry, err)
		}
		if got := planar.Intersects(geometry, b); got != test.want {
			t.Errorf("%s: %v", test.geometry, got)
		}
	}
}

// What a page costs does not grow with its length: one buffer, reused.
func TestQueryMemoryDoesNotGrowWithLimit(t *testing.T) {
	d, _ := testDriver(t, map[string]string{"points.geojson": points(8_000)})
	s := open(t, d, "points.geojson")
	layer := &catalog.Layer{Properties: []catalog.Property{{Name: "name", Type: "string"}}}
	d.config.RefreshInterval = time.Hour
	allocations := func(q registry.Query) float64 {
		return testing.AllocsPerRun(5, func() {
			if _, err := s.Query(t.Context(), layer, q, func([]byte) error { return nil }); err != nil {
				t.Fatal(err)
			}
		})
	}
	area := &registry.BBox{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}
	for name, q := range map[string]registry.Query{"plain": {}, "bbox": {BBox: area}} {
		q.Limit = 10
		few := allocations(q)
		q.Limit = 8_000
		if many := allocations(q); many > few+20 {
			t.Errorf("%s: %v allocations for 10 features, %v for 8,000", name, few, many)
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	d, err := decode([]byte(points(100_000)))
	if err != nil {
		b.Fatal(err)
	}
	layer := &catalog.Layer{Properties: []catalog.Property{{Name: "name", Type: "string"}}}
	area := &registry.BBox{MinX: 10, MinY: 10, MaxX: 30, MaxY: 30}
	for name, q := range map[string]registry.Query{
		"10": {Limit: 10}, "1000": {Limit: 1000}, "bbox": {Limit: 1000, BBox: area},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.query(b.Context(), layer, q, func([]byte) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
