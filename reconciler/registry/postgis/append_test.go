package postgis

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/wkb"
)

// cityPlan is how a table of the common column types is read, and cityRow one of its rows as it comes over the wire.
func cityPlan(t testing.TB) *plan {
	t.Helper()
	names := map[string]string{"id": "int4", "geom": "geometry", "name": "text", "population": "int4", "area": "float8",
		"capital": "bool", "founded": "date", "seen": "timestamptz"}
	table := &table{schema: "public", name: "cities", quoted: `"public"."cities"`, key: "id", postgis: "public", functions: "public.",
		operators: " OPERATOR(public.", geometryCast: "::public.geometry"}
	for _, name := range []string{"id", "geom", "name", "population", "area", "capital", "founded", "seen"} {
		c := column{name: name, quoted: quote(name), typeName: names[name], geometry: "Point", srid: registry.WGS84}
		if c.typeName == "text" {
			c.category = "S"
		}
		table.columns = append(table.columns, c)
	}
	layer := &catalog.Layer{ID: "cities", Table: "public.cities", GeometryColumn: "geom", SRID: registry.WGS84}
	for name, kind := range map[string]string{"name": "string", "population": "integer", "area": "number", "capital": "boolean",
		"founded": "date", "seen": "datetime"} {
		layer.Properties = append(layer.Properties, catalog.Property{Name: name, Type: kind})
	}
	p, err := table.planFor(layer)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func cityRow(t testing.TB, p *plan) [][]byte {
	t.Helper()
	point, err := hex.DecodeString("0101000020e6100000cdcccccccccc02400ad7a3703d6a4840") // SRID=4326;POINT(2.35 48.83)
	if err != nil {
		t.Fatal(err)
	}
	row := [][]byte{{0, 0, 0, 7}, point}
	for i := range p.properties {
		row = append(row, map[string][]byte{
			"name": []byte("Paris"), "population": {0, 0x20, 0x0b, 0x20}, "capital": {1}, "founded": {0, 0, 0, 9},
			"area": binary.BigEndian.AppendUint64(nil, math.Float64bits(105.4)), "seen": make([]byte, 8),
		}[p.properties[i].column.name])
	}
	return row
}

// What a page costs the garbage collector does not grow with its features, and little of it is there at all.
func TestAllocations(t *testing.T) {
	p := cityPlan(t)
	row, buffer := cityRow(t, p), make([]byte, 0, featureBytes)
	if allocated := testing.AllocsPerRun(100, func() {
		if _, err := p.append(buffer[:0], row, wkb.Options{}); err != nil {
			t.Fatal(err)
		}
	}); allocated > 0 {
		t.Errorf("a feature takes %v allocations", allocated)
	}
	q := registry.Query{Limit: 10, Offset: 5, BBox: &registry.BBox{MinX: 1, MinY: 2, MaxX: 4, MaxY: 5}}
	if allocated := testing.AllocsPerRun(100, func() { page(t, p, q) }); allocated > 12 {
		t.Errorf("a statement takes %v allocations", allocated)
	}
}

func page(t testing.TB, p *plan, q registry.Query) *statement {
	c := &conditions{}
	if err := c.inside(p, q, facts{}, true); err != nil {
		t.Fatal(err)
	}
	return p.selectPage(q, c)
}

func BenchmarkFeature(b *testing.B) {
	p := cityPlan(b)
	row, buffer := cityRow(b, p), make([]byte, 0, featureBytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.append(buffer[:0], row, wkb.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStatement(b *testing.B) {
	p := cityPlan(b)
	q := registry.Query{Limit: 10, Offset: 5, BBox: &registry.BBox{MinX: 1, MinY: 2, MaxX: 4, MaxY: 5}}
	b.ReportAllocs()
	for b.Loop() {
		page(b, p, q)
	}
}
