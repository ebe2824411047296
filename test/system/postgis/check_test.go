//go:build system

package postgis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

const checkSchema = citiesSchema + `
CREATE TABLE public.loose (gid bigint, code text UNIQUE, geom geometry);
INSERT INTO public.loose VALUES (1, 'a', ST_SetSRID(ST_Point(1, 2), 3857)), (2, 'b', 'SRID=3857;LINESTRING(0 0,1 1)');
CREATE TABLE public.plain (id integer PRIMARY KEY, geom text);
CREATE TABLE public.round (id integer PRIMARY KEY, geom geography(Point, 4326));
CREATE TABLE public.empty (id integer PRIMARY KEY, geom geometry);
CREATE TABLE public.strange (id integer PRIMARY KEY, geom geometry(Point, 990001));
INSERT INTO public.strange VALUES (1, 'SRID=990001;POINT(1 2)');
CREATE VIEW public.broken AS SELECT id, geom, 1 / (id - id) AS n FROM public.cities;
CREATE TABLE public.pair (a integer, b integer, geom geometry(Point, 4326), PRIMARY KEY (a, b));
CREATE SCHEMA other; CREATE TABLE other.cities (id integer PRIMARY KEY, geom geometry(Point, 4326));`

// Every check of staging fails here against a real database: found and expected are both named.
func TestStagingChecks(t *testing.T) {
	d := newDatabase(t, newServer(t), "checks", checkSchema)
	d.run("CREATE TABLE public.secret (id integer PRIMARY KEY, geom geometry(Point, 4326))") // after the grant
	source := d.open()
	property := func(name, kind string) catalog.Property { return catalog.Property{Name: name, Type: kind} }
	for name, test := range map[string]struct {
		layer catalog.Layer
		want  []string // field, then what the message holds
	}{
		"all is well":        {*citiesLayer(allProperties()...), nil},
		"an empty table":     {catalog.Layer{Table: "public.empty", GeometryColumn: "geom", GeometryType: "Point", SRID: 4326}, nil},
		"mixed geometries":   {catalog.Layer{Table: "loose", GeometryColumn: "geom", GeometryType: "Geometry", SRID: 3857, IDColumn: "code"}, nil},
		"missing table":      {*with(func(l *catalog.Layer) { l.Table = "public.citys" }), []string{"table", `"public.citys"`, `did you mean "public.cities"`}},
		"table of no schema": {*with(func(l *catalog.Layer) { l.Table = "nowhere.cities" }), []string{"table", `"nowhere.cities"`}},
		"not readable":       {*with(func(l *catalog.Layer) { l.Table = "public.secret" }), []string{"table", "SELECT"}},
		"schema not usable":  {*with(func(l *catalog.Layer) { l.Table = "other.cities" }), []string{"table", "SELECT"}},
		"missing geometry":   {*with(func(l *catalog.Layer) { l.GeometryColumn = "geometry" }), []string{"geometryColumn", `"geometry"`}},
		"no geometry":        {*with(func(l *catalog.Layer) { l.Table = "public.plain" }), []string{"geometryColumn", "found", "text", "expected geometry"}},
		"geography":          {*with(func(l *catalog.Layer) { l.Table = "public.round" }), []string{"geometryColumn", "geography", "expected geometry"}},
		"geometry type":      {*with(func(l *catalog.Layer) { l.GeometryType = "MultiPolygon" }), []string{"geometryType", "geometry(Point,4326)", "expected MultiPolygon"}},
		"SRID":               {*with(func(l *catalog.Layer) { l.SRID = 3857 }), []string{"srid", "found 4326", "expected 3857"}},
		"unknown system":     {*with(func(l *catalog.Layer) { l.Table, l.SRID = "public.strange", 990001 }), []string{"", "990001"}},
		"types of the rows": {catalog.Layer{Table: "loose", GeometryColumn: "geom", GeometryType: "Point", SRID: 3857, IDColumn: "code"},
			[]string{"geometryType", "found LineString", "expected Point"}},
		"SRID of the rows": {catalog.Layer{Table: "loose", GeometryColumn: "geom", GeometryType: "Geometry", SRID: 4326, IDColumn: "code"},
			[]string{"srid", "found 3857", "expected 4326"}},
		"no primary key":  {catalog.Layer{Table: "loose", GeometryColumn: "geom", GeometryType: "Geometry", SRID: 3857}, []string{"idColumn", "primary key"}},
		"key of two":      {catalog.Layer{Table: "pair", GeometryColumn: "geom", GeometryType: "Point", SRID: 4326}, []string{"idColumn", "primary key"}},
		"missing id":      {*with(func(l *catalog.Layer) { l.IDColumn = "gid" }), []string{"idColumn", `"gid"`}},
		"useless id":      {*with(func(l *catalog.Layer) { l.IDColumn = "geom" }), []string{"idColumn", "geometry"}},
		"missing column":  {*citiesLayer(property("nam", "string")), []string{"properties[0].name", `"nam"`, `did you mean "name"`}},
		"type of column":  {*citiesLayer(property("name", "integer")), []string{"properties[0].type", "found text", "expected integer"}},
		"type of numbers": {*citiesLayer(property("area", "integer")), []string{"properties[0].type", "found double precision", "expected integer"}},
		"type of times":   {*citiesLayer(property("name", "string"), property("seen", "date")), []string{"properties[1].type", "found timestamp with time zone", "expected date"}},
		"failing view": {catalog.Layer{Table: "broken", GeometryColumn: "geom", GeometryType: "Point", SRID: 4326, IDColumn: "id",
			Properties: []catalog.Property{property("n", "integer")}}, []string{"", "division by zero"}},
	} {
		t.Run(name, func(t *testing.T) { checkFinding(t, source, &test.layer, test.want) })
	}
	t.Run("all problems at once", func(t *testing.T) {
		layer := citiesLayer(property("nothing", "string"), property("name", "boolean"))
		layer.SRID, layer.GeometryType, layer.IDColumn = 25832, "Polygon", "gid"
		findings, err := source.Check(t.Context(), layer)
		if err != nil || len(findings) != 5 {
			t.Errorf("%v, %v", findings, err)
		}
	})
	t.Run("no PostGIS", func(t *testing.T) { checkWithoutPostGIS(t, d) })
	t.Run("PostGIS in a schema of its own", func(t *testing.T) { checkOtherSchema(t, d) })
}

func with(change func(*catalog.Layer)) *catalog.Layer {
	layer := citiesLayer()
	change(layer)
	return layer
}

func checkFinding(t *testing.T, source registry.Source, layer *catalog.Layer, want []string) {
	findings, err := source.Check(t.Context(), layer)
	if err != nil {
		t.Fatal(err)
	}
	findings = slices.DeleteFunc(findings, func(f registry.Finding) bool { return f.Warning })
	if len(want) == 0 {
		if len(findings) > 0 {
			t.Error(findings)
		}
		return
	}
	if len(findings) != 1 || findings[0].Field != want[0] {
		t.Fatalf("%+v; want one of field %q", findings, want[0])
	}
	for _, part := range want[1:] {
		if !strings.Contains(findings[0].Message, part) {
			t.Errorf("%q does not say %q", findings[0].Message, part)
		}
	}
}

func checkWithoutPostGIS(t *testing.T, d *database) {
	for _, sql := range []string{"CREATE DATABASE bare"} {
		if err := d.server.Run(t.Context(), "postgres", sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.server.Run(t.Context(), "bare", "CREATE TABLE cities (id integer PRIMARY KEY, geom text); GRANT SELECT ON cities TO "+reader); err != nil {
		t.Fatal(err)
	}
	source, err := openSource(t, d.server.URL(reader, password, "bare"))
	if err != nil {
		t.Fatal(err)
	}
	findings, err := source.Check(t.Context(), with(func(l *catalog.Layer) { l.Table = "cities" }))
	if err != nil || len(findings) != 2 || !strings.Contains(findings[0].Message, "CREATE EXTENSION postgis") {
		t.Errorf("%v, %v", findings, err)
	}
}

func checkOtherSchema(t *testing.T, d *database) {
	for _, step := range [][2]string{
		{"postgres", "CREATE DATABASE apart"},
		{"apart", `CREATE SCHEMA "My GIS"; CREATE EXTENSION postgis SCHEMA "My GIS"; GRANT USAGE ON SCHEMA "My GIS" TO ` + reader},
		{"apart", `CREATE TABLE cities (id integer PRIMARY KEY, geom "My GIS".geometry(Polygon, 4326));
			INSERT INTO cities VALUES (1, 'SRID=4326;POLYGON((0 0,4 0,4 4,0 0))'::"My GIS".geometry); GRANT SELECT ON cities TO ` + reader},
	} {
		if err := d.server.Run(t.Context(), step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
	source, err := openSource(t, d.server.URL(reader, password, "apart"))
	if err != nil {
		t.Fatal(err)
	}
	layer := with(func(l *catalog.Layer) { l.Table, l.GeometryType = "cities", "Polygon" })
	checkFinding(t, source, layer, nil)
	for box, want := range map[registry.BBox]int{{MinX: 3, MinY: 0, MaxX: 4, MaxY: 1}: 1, {MinX: 0, MinY: 3, MaxX: 1, MaxY: 4}: 0} {
		if got, _ := ask(t, source, layer, registry.Query{BBox: &box, CRS: registry.CRS{SRID: 3857}}); len(got) != want {
			t.Errorf("%+v: %v; want %d", box, got, want)
		}
	}
}

// What keeps a source from being opened is named, and nothing of the connection string is shown.
func TestUnreachable(t *testing.T) {
	server := newServer(t)
	newDatabase(t, server, "gis", citiesSchema)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	mute := listener.Addr().(*net.TCPAddr).Port
	base := fmt.Sprintf("Port=%d;Database=gis;Username=%s;Password=%s", server.Port, reader, password)
	for name, test := range map[string]struct {
		connection, want string
		kind             error
	}{
		"wrong password":    {server.Net(reader, "wrong-"+password, "gis"), "password authentication failed", registry.ErrUnavailable},
		"unknown user":      {server.Net("nobody_here", password, "gis"), "password authentication failed", registry.ErrUnavailable},
		"missing database":  {server.URL(reader, password, "no_such_db"), "the database does not exist", registry.ErrUnavailable},
		"unknown host":      {"Host=no-such-host.invalid;" + base, "host's name is not known", registry.ErrUnavailable},
		"nobody listens":    {fmt.Sprintf("Host=127.0.0.1;Port=1;Database=gis;Username=%s;Password=%s", reader, password), "connection refused", registry.ErrUnavailable},
		"no socket":         {"Host=/no/such/place;" + base, "there is no such socket", registry.ErrUnavailable},
		"silent host":       {fmt.Sprintf("Host=127.0.0.1;Port=%d;Database=gis;Username=%s;Password=%s;SSL Mode=Disable", mute, reader, password), "no answer in time", registry.ErrUnavailable},
		"no TLS":            {"Host=127.0.0.1;SSL Mode=Require;" + base, "TLS", registry.ErrUnavailable},
		"unknown parameter": {server.URL(reader, password, "gis") + "&no_such_parameter=1", "parameter", registry.ErrUnavailable},
		"unreadable URL":    {"postgres://u:" + password + "@h:port/db", "percent-encoded", registry.ErrConnectionString},
		"no host":           {"Database=gis;Password=" + password, "Host", registry.ErrConnectionString},
		"unknown keyword":   {"Hots=a;Password=" + password, `did you mean "Host"`, registry.ErrConnectionString},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := openWithin(ctx, t, test.connection)
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
			if test.kind == registry.ErrUnavailable && !strings.Contains(err.Error(), "Database connection failure") {
				t.Errorf("%v lacks the runbook's words", err)
			}
			for _, part := range []string{password, reader, "127.0.0.1", "gis", "no_such_db"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%v shows %q of a string that came out of a placeholder", err, part)
				}
			}
		})
	}
}

// A database that stops while it is served makes requests fail with ErrUnavailable, and is found again by itself; one
// that freezes is given up on in time.
func TestOutage(t *testing.T) {
	server := newServer(t)
	d := newDatabase(t, server, "gis", citiesSchema)
	source := d.open()
	layer := citiesLayer(allProperties()...)
	query := func() error {
		_, _, err := tryAsk(t.Context(), source, layer, registry.Query{Limit: 2})
		return err
	}
	for range 3 {
		if err := query(); err != nil {
			t.Fatal(err)
		}
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := query(); !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "Database connection failure") {
				t.Errorf("while it is down: %v", err)
			}
		}
		if _, err := source.Check(t.Context(), layer); !errors.Is(err, registry.ErrUnavailable) {
			t.Errorf("a check while it is down: %v", err)
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Not one request fails after that, although the pool's connections are all dead.
		for range 3 {
			if err := query(); err != nil {
				t.Errorf("after the restart: %v", err)
			}
		}
	}
	t.Run("a table that changes", func(t *testing.T) { checkChanges(t, d, source) })
	t.Run("clients that go away", func(t *testing.T) { checkCancel(t, source) })
}

func checkChanges(t *testing.T, d *database, source registry.Source) {
	layer := citiesLayer(catalog.Property{Name: "population", Type: "integer"})
	for _, step := range []struct {
		sql  string
		find string // in the check's finding; empty: all is well
	}{
		{"ALTER TABLE public.cities ALTER COLUMN population TYPE numeric(20,0)", ""},
		{"ALTER TABLE public.cities ALTER COLUMN population TYPE text", "expected integer"},
		{"ALTER TABLE public.cities ALTER COLUMN population TYPE integer USING population::integer", ""},
		{"ALTER TABLE public.cities DROP COLUMN population", `no column "population"`},
		{"ALTER TABLE public.cities ADD COLUMN population bigint", ""},
		{"ALTER TABLE public.cities RENAME TO towns", "no table"},
		{"ALTER TABLE public.towns RENAME TO cities", ""},
	} {
		d.run(step.sql)
		findings, err := source.Check(t.Context(), layer)
		if err != nil || len(findings) > 0 != (step.find != "") || len(findings) > 0 && !strings.Contains(findings[0].Message, step.find) {
			t.Errorf("%s: %v, %v", step.sql, findings, err)
		}
		_, _, err = tryAsk(t.Context(), source, layer, registry.Query{})
		if failed := errors.Is(err, registry.ErrUnavailable); failed != (step.find != "") {
			t.Errorf("%s: a request: %v", step.sql, err)
		}
	}
}

func checkCancel(t *testing.T, source registry.Source) {
	stop := errors.New("client gone")
	for range 30 { // more often than the pool has connections
		ctx, cancel := context.WithCancel(t.Context())
		_, err := source.Query(ctx, citiesLayer(), registry.Query{Limit: 3}, func([]byte) error { cancel(); return stop })
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		cancel()
	}
	if features, _ := ask(t, source, citiesLayer(), registry.Query{}); len(features) != 4 {
		t.Errorf("%v", features)
	}
}
