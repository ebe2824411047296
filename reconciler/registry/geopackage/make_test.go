package geopackage

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// gpkg is a GeoPackage that a test makes, as ogr2ogr would.
type gpkg struct {
	t  *testing.T
	db *sql.DB
}

const metadata = `
PRAGMA application_id = 1196444487;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT, organization_coordsys_id INTEGER, definition TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, ''), ('Mercator', 3857, 'epsg', 3857, ''), ('UTM', 25832, 'EPSG', 25832, ''), ('none', 0, 'NONE', 0, '');
CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, srs_id INTEGER);
CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER, z INTEGER, m INTEGER);`

func newGPKG(t *testing.T, path string) *gpkg {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	g := &gpkg{t: t, db: db}
	t.Cleanup(func() { _ = db.Close() })
	g.run(metadata)
	return g
}

func (g *gpkg) run(statement string, args ...any) {
	g.t.Helper()
	if _, err := g.db.ExecContext(g.t.Context(), statement, args...); err != nil {
		g.t.Fatalf("%s: %v", statement, err)
	}
}

func (g *gpkg) table(name, columns, kind string, srid int) {
	g.run(fmt.Sprintf(`CREATE TABLE %s (%s)`, quote(name), columns))
	g.run(`INSERT INTO gpkg_contents VALUES (?, 'features', ?)`, name, srid)
	g.run(`INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)`, name, kind, srid)
}

// rtree makes and fills the index of a table.
func (g *gpkg) rtree(name string, boxes map[int]orb.Bound) {
	tree := quote("rtree_" + name + "_geom")
	g.run("CREATE VIRTUAL TABLE " + tree + " USING rtree(id, minx, maxx, miny, maxy)")
	for id, b := range boxes {
		g.run("INSERT INTO "+tree+" VALUES (?, ?, ?, ?, ?)", id, b.Min[0], b.Max[0], b.Min[1], b.Max[1])
	}
}

// header begins a geometry; with an envelope if there is one.
func header(srid int, envelope *orb.Bound) []byte {
	b := []byte{'G', 'P', 0, 1}
	if envelope != nil {
		b[3] |= 2
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(srid))
	if envelope != nil {
		for _, v := range []float64{envelope.Min[0], envelope.Max[0], envelope.Min[1], envelope.Max[1]} {
			b = number(b, v)
		}
	}
	return b
}

func number(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

func pointBlob(p orb.Point) []byte {
	b := append(header(4326, nil), 1, 1, 0, 0, 0)
	return number(number(b, p[0]), p[1])
}

func lineBlob(line orb.LineString) []byte {
	bound := line.Bound()
	b := append(header(4326, &bound), 1, 2, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(line)))
	for _, p := range line {
		b = number(number(b, p[0]), p[1])
	}
	return b
}

func openSource(t *testing.T, dir, connection string) (registry.Source, error) {
	t.Helper()
	driver, err := New(Config{DataDirectory: dir, Logger: slog.New(slog.DiscardHandler), RefreshInterval: 1})
	if err != nil {
		t.Fatal(err)
	}
	source, err := driver.Open(t.Context(), registry.Spec{ID: "file", Type: "GeoPackage", ConnectionString: connection})
	if err == nil {
		t.Cleanup(func() {
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return source, err
}

func mustOpen(t *testing.T, dir, connection string) registry.Source {
	t.Helper()
	source, err := openSource(t, dir, connection)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func collect(t *testing.T, s registry.Source, layer *catalog.Layer, q registry.Query) ([]string, registry.Page) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	var features []string
	page, err := s.Query(t.Context(), layer, q, func(feature []byte) error {
		features = append(features, string(feature))
		return nil
	})
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return features, page
}

const townColumns = `fid INTEGER PRIMARY KEY, geom BLOB, name TEXT(40), population MEDIUMINT, area DOUBLE, capital BOOLEAN, founded DATE, seen DATETIME, extra TEXT, picture BLOB`

// towns are a small file of every kind of value.
func towns(t *testing.T, dir string) {
	t.Helper()
	g := newGPKG(t, filepath.Join(dir, "towns.gpkg"))
	g.table("towns", townColumns, "POINT", 4326)
	g.run(`INSERT INTO towns VALUES (1, ?, 'Paris', 2100000, 105.4, 1, '0250-01-01', '2026-01-02T03:04:05.000Z', '{"a":1}', x'00')`, pointBlob(orb.Point{2.35, 48.86}))
	g.run(`INSERT INTO towns VALUES (2, ?, 'Suva "west"', 93000, 2048, 1, '1882-05-01', '1882-05-01 00:00:00', 'no json', NULL)`, pointBlob(orb.Point{178.44, -18.14}))
	g.run(`INSERT INTO towns VALUES (3, ?, 'Suva <east>', 'many', 'x', 0, NULL, NULL, NULL, NULL)`, pointBlob(orb.Point{-179.99, -18}))
	g.run(`INSERT INTO towns VALUES (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`)
	g.rtree("towns", map[int]orb.Bound{
		1: (orb.Point{2.35, 48.86}).Bound(), 2: (orb.Point{178.44, -18.14}).Bound(), 3: (orb.Point{-179.99, -18}).Bound(),
	})
	if err := g.db.Close(); err != nil {
		t.Fatal(err)
	}
}

func townLayer() *catalog.Layer {
	layer := &catalog.Layer{Table: "towns", GeometryColumn: "geom", GeometryType: "Point", SRID: 4326}
	for pair := range strings.FieldsSeq("name:string population:integer area:number capital:boolean founded:date seen:datetime extra:json") {
		name, kind, _ := strings.Cut(pair, ":")
		layer.Properties = append(layer.Properties, catalog.Property{Name: name, Type: kind})
	}
	return layer
}
