//go:build system

package ogc

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry/postgis"
	"github.com/honua-io/honua-gitops/test/postgres"
)

// worldTables are filled with the features of geoJSONWorld.
const worldTables = `CREATE EXTENSION postgis;
CREATE TABLE towns AS SELECT (f->>'id')::integer AS id, ST_GeomFromGeoJSON(f->>'geometry')::geometry(Point, 4326) AS geom, p.*
  FROM json_array_elements('%s'::json->'features') f,
  json_to_record(f->'properties') p(name text, mark text, size bigint, share double precision, port boolean, founded date, uid uuid, extra json);
CREATE TABLE places AS SELECT (f->>'id')::integer AS id, ST_GeomFromGeoJSON(f->>'geometry')::geometry(Geometry, 4326) AS geom, p.*
  FROM json_array_elements('%s'::json->'features') f, json_to_record(f->'properties') p(kind text, seen timestamptz);
ALTER TABLE towns ADD PRIMARY KEY (id); ALTER TABLE places ADD PRIMARY KEY (id);
CREATE INDEX ON towns USING gist (geom); CREATE INDEX ON places USING gist (geom); ANALYZE towns; ANALYZE places`

// The suite on a real PostGIS.
func TestAbstractTestSuiteOnPostGIS(t *testing.T) {
	server, err := postgres.New(t.Context(), postgres.TempDir(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	text := strings.NewReplacer("'", "''")
	if err := server.Run(t.Context(), "postgres", fmt.Sprintf(worldTables, text.Replace(towns(100, "a")), text.Replace(places))); err != nil {
		t.Fatal(err)
	}
	runAbstractTests(t, func(b *bench) world {
		driver, err := postgis.New(postgis.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.t.Fatal(err)
		}
		b.drivers["PostgreSQL"] = driver
		b.t.Cleanup(func() { b.registry.Swap("production", nil) }) // ends the connections
		connection := server.URL(postgres.Admin, postgres.AdminPassword, "postgres")
		return world{geometry: "geom", sources: [2]catalog.DataSource{
			{ID: "towns", Type: "PostgreSQL", ConnectionString: connection}, {ID: "places", Type: "PostgreSQL", ConnectionString: connection},
		}}
	})
}
