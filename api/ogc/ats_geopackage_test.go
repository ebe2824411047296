package ogc

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"path/filepath"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

const packageTables = `
PRAGMA application_id = 1196444487;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT, organization_coordsys_id INTEGER, definition TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, '');
CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, srs_id INTEGER);
INSERT INTO gpkg_contents VALUES ('towns', 'features', 4326), ('places', 'features', 4326);
CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER, z INTEGER, m INTEGER);
INSERT INTO gpkg_geometry_columns VALUES ('towns', 'geom', 'POINT', 4326, 0, 0), ('places', 'geom', 'GEOMETRY', 4326, 0, 0);
CREATE TABLE towns (fid INTEGER PRIMARY KEY, geom BLOB, name TEXT, mark TEXT, size INTEGER, share DOUBLE, port BOOLEAN, founded DATE, uid TEXT, extra TEXT);
CREATE TABLE places (fid INTEGER PRIMARY KEY, geom BLOB, kind TEXT, seen DATETIME);
CREATE VIRTUAL TABLE rtree_towns_geom USING rtree(id, minx, maxx, miny, maxy);
CREATE VIRTUAL TABLE rtree_places_geom USING rtree(id, minx, maxx, miny, maxy);`

// geoPackageWorld holds the features of geoJSONWorld.
func geoPackageWorld(b *bench) world {
	db, err := sql.Open("sqlite", filepath.Join(b.directory, "world.gpkg"))
	if err != nil {
		b.t.Fatal(err)
	}
	run := func(statement string, args ...any) {
		if _, err := db.ExecContext(b.t.Context(), statement, args...); err != nil {
			b.t.Fatalf("%s: %v", statement, err)
		}
	}
	run("PRAGMA journal_mode = OFF")
	run(packageTables)
	run("BEGIN")
	for _, f := range featuresOf(b, towns(100, "a")) {
		p := f.Properties
		var at struct{ Coordinates orb.Point }
		if err := json.Unmarshal(f.Geometry, &at); err != nil {
			b.t.Fatal(err)
		}
		run("INSERT INTO towns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", f.ID, blobOf(b, at.Coordinates), p["name"], p["mark"], p["size"], p["share"], p["port"],
			p["founded"], p["uid"], `{"a":1}`)
		run("INSERT INTO rtree_towns_geom VALUES (?, ?, ?, ?, ?)", f.ID, at.Coordinates[0], at.Coordinates[0], at.Coordinates[1], at.Coordinates[1])
	}
	shapes := map[int]orb.Geometry{
		1: orb.Polygon{{{0, 0}, {10, 0}, {10, 10}, {0, 10}, {0, 0}}}, 2: orb.LineString{{-20, -20}, {-10, -10}}, 4: orb.MultiPoint{{179.5, -17}, {-179.5, -17}},
	}
	for _, f := range featuresOf(b, places) {
		var blob any
		if shape := shapes[f.ID]; shape != nil {
			bound := shape.Bound()
			blob = blobOf(b, shape)
			run("INSERT INTO rtree_places_geom VALUES (?, ?, ?, ?, ?)", f.ID, bound.Min[0], bound.Max[0], bound.Min[1], bound.Max[1])
		}
		run("INSERT INTO places VALUES (?, ?, ?, ?)", f.ID, blob, f.Properties["kind"], f.Properties["seen"])
	}
	run("COMMIT")
	if err := db.Close(); err != nil {
		b.t.Fatal(err)
	}
	return world{geometry: "geom", sources: [2]catalog.DataSource{
		{ID: "towns", Type: "GeoPackage", ConnectionString: "world.gpkg"}, {ID: "places", Type: "GeoPackage", ConnectionString: "File=world.gpkg"},
	}}
}

// worldFeature is one feature of the world's texts.
type worldFeature struct {
	ID         int
	Geometry   json.RawMessage
	Properties map[string]any
}

func featuresOf(b *bench, text string) []worldFeature {
	var document struct{ Features []worldFeature }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		b.t.Fatal(err)
	}
	return document.Features
}

// blobOf is a geometry as GeoPackage stores it, without an envelope.
func blobOf(b *bench, shape orb.Geometry) []byte {
	text, err := wkb.Marshal(shape, binary.LittleEndian)
	if err != nil {
		b.t.Fatal(err)
	}
	return append(binary.LittleEndian.AppendUint32([]byte{'G', 'P', 0, 1}, 4326), text...)
}
