//go:build system

package postgis

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/postgis"
	"github.com/honua-io/honua-gitops/test/postgres"
)

// The role that layers are read with. Its password must never be seen anywhere.
const (
	reader   = "honua_reader"
	password = "pw-5b1e-never-shown"
)

// database is one database of a server.
type database struct {
	t      testing.TB
	server *postgres.Server
	name   string
}

func newServer(t testing.TB) *postgres.Server {
	t.Helper()
	server, err := postgres.New(t.Context(), postgres.TempDir(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// newDatabase makes a database with PostGIS in which the reader may read.
func newDatabase(t testing.TB, server *postgres.Server, name, schema string) *database {
	t.Helper()
	d := &database{t: t, server: server, name: name}
	for _, step := range []struct{ database, sql string }{
		{"postgres", fmt.Sprintf(`DO $$ BEGIN CREATE ROLE %s LOGIN PASSWORD '%s'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`, reader, password)},
		{"postgres", "CREATE DATABASE " + name},
		{name, "CREATE EXTENSION postgis"},
		{name, schema},
		{name, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + reader},
	} {
		if err := server.Run(t.Context(), step.database, step.sql); err != nil {
			t.Fatalf("%s: %v", step.sql, err)
		}
	}
	return d
}

func (d *database) run(sql string) {
	d.t.Helper()
	if err := d.server.Run(d.t.Context(), d.name, sql); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
}

func (d *database) connection() string { return d.server.Net(reader, password, d.name) }

func openSource(t testing.TB, connection string) (registry.Source, error) {
	t.Helper()
	return openWithin(t.Context(), t, connection)
}

func openWithin(ctx context.Context, t testing.TB, connection string) (registry.Source, error) {
	t.Helper()
	driver, err := postgis.New(postgis.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	source, err := driver.Open(ctx, registry.Spec{ID: "db", Type: "PostgreSQL", ConnectionString: connection, Template: "${DB}"})
	if err == nil {
		t.Cleanup(func() {
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return source, err
}

func (d *database) open() registry.Source {
	d.t.Helper()
	source, err := openSource(d.t, d.connection())
	if err != nil {
		d.t.Fatal(err)
	}
	return source
}

// ask returns the features of a page.
func ask(t *testing.T, s registry.Source, layer *catalog.Layer, q registry.Query) ([]string, registry.Page) {
	t.Helper()
	features, page, err := tryAsk(t.Context(), s, layer, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return features, page
}

func tryAsk(ctx context.Context, s registry.Source, layer *catalog.Layer, q registry.Query) ([]string, registry.Page, error) {
	var features []string
	if q.Limit == 0 {
		q.Limit = 100
	}
	page, err := s.Query(ctx, layer, q, func(feature []byte) error {
		features = append(features, string(feature))
		return nil
	})
	return features, page, err
}

const citiesSchema = `
CREATE TABLE public.cities (
  id integer PRIMARY KEY, geom geometry(Point, 4326), name text, population bigint, area double precision,
  capital boolean, founded date, seen timestamptz, noted timestamp, opens time, code uuid, extra jsonb, tags text[],
  price numeric(10,2), letter char(3), kind varchar(20)
);
INSERT INTO public.cities VALUES
 (1, ST_SetSRID(ST_Point(2.35, 48.86), 4326), 'Paris', 2100000, 105.4, true, '0250-01-01', '2026-01-02 03:04:05.25+01',
  '2026-01-02 03:04:05', '08:30', '11111111-2222-3333-4444-555555555555', '{"a": [1, "x"]}', '{a,"b c"}', 10.50, 'FR ', 'city'),
 (2, ST_SetSRID(ST_Point(178.44, -18.14), 4326), 'Suva "west"', 93000, 2048, true, '1882-05-01', '1882-05-01Z', NULL, NULL, NULL, NULL, NULL, 'NaN', NULL, NULL),
 (3, ST_SetSRID(ST_Point(-179.99, -18), 4326), E'Suva <&> \\ \t east', 1, 'NaN', false, 'infinity', 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
ANALYZE public.cities;`

func citiesLayer(properties ...catalog.Property) *catalog.Layer {
	return &catalog.Layer{
		ID: "cities", DataSource: "db", Table: "public.cities", GeometryColumn: "geom", GeometryType: "Point", SRID: 4326,
		Properties: properties,
	}
}

// all are every column of the cities with a type that it can be declared as.
func allProperties() []catalog.Property {
	var properties []catalog.Property
	for _, pair := range strings.Fields(`name:string population:integer area:number capital:boolean founded:date
		seen:datetime noted:datetime opens:time code:uuid extra:json tags:json price:number letter:string kind:string`) {
		name, kind, _ := strings.Cut(pair, ":")
		properties = append(properties, catalog.Property{Name: name, Type: kind})
	}
	return properties
}
