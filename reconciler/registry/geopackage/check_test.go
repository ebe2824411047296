package geopackage

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	towns(t, dir)
	g := newGPKG(t, filepath.Join(dir, "odd.gpkg"))
	g.table("utm", "fid INTEGER PRIMARY KEY, geom BLOB", "POINT", 25832)
	g.table("keyless", "name TEXT, geom BLOB", "GEOMETRY", 4326)
	g.run("CREATE TABLE attributes (fid INTEGER PRIMARY KEY); INSERT INTO gpkg_contents VALUES ('attributes', 'attributes', 0)")
	for name, test := range map[string]struct {
		file   string
		change func(*catalog.Layer)
		want   string // field: part of the message
	}{
		"all is well":       {"towns.gpkg", func(*catalog.Layer) {}, ""},
		"other case":        {"towns.gpkg", func(l *catalog.Layer) { l.Table, l.GeometryColumn = "Towns", "GEOM" }, ""},
		"missing table":     {"towns.gpkg", func(l *catalog.Layer) { l.Table = "town" }, `table: did you mean "towns"`},
		"table of no shape": {"odd.gpkg", func(l *catalog.Layer) { l.Table = "attributes" }, "table: found no table"},
		"geometry column":   {"towns.gpkg", func(l *catalog.Layer) { l.GeometryColumn = "shape" }, `geometryColumn: expected "shape"`},
		"geometry type":     {"towns.gpkg", func(l *catalog.Layer) { l.GeometryType = "Polygon" }, "geometryType: found POINT; expected Polygon"},
		"SRID":              {"towns.gpkg", func(l *catalog.Layer) { l.SRID = 3857 }, "srid: found 4326; expected 3857"},
		"unknown system":    {"odd.gpkg", func(l *catalog.Layer) { l.Table, l.SRID, l.Properties = "utm", 25832, nil }, "srid: cannot be converted"},
		"id column":         {"towns.gpkg", func(l *catalog.Layer) { l.IDColumn = "gid" }, `idColumn: found no column "gid"`},
		"no key":            {"odd.gpkg", func(l *catalog.Layer) { l.Table, l.Properties = "keyless", nil }, "idColumn: primary key"},
		"useless id":        {"towns.gpkg", func(l *catalog.Layer) { l.IDColumn = "picture" }, "idColumn: type BLOB"},
		"missing property":  {"towns.gpkg", func(l *catalog.Layer) { l.Properties[0].Name = "nam" }, `properties[0].name: did you mean "name"`},
		"type of property":  {"towns.gpkg", func(l *catalog.Layer) { l.Properties[1].Type = "boolean" }, "properties[1].type: found MEDIUMINT; expected boolean"},
	} {
		layer := townLayer()
		test.change(layer)
		findings, err := mustOpen(t, dir, test.file).Check(t.Context(), layer)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if test.want == "" {
			if len(findings) > 0 {
				t.Errorf("%s: %v", name, findings)
			}
			continue
		}
		field, part, _ := strings.Cut(test.want, ": ")
		if !slices.ContainsFunc(findings, func(f registry.Finding) bool { return f.Field == field && strings.Contains(f.Message, part) }) {
			t.Errorf("%s: %+v; want %s", name, findings, test.want)
		}
	}
}

// Nothing outside the data directory is read, whatever a connection string or a link says.
func TestConfinement(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	towns(t, outside)
	for from, to := range map[string]string{
		"link.gpkg": filepath.Join(outside, "towns.gpkg"), "up.gpkg": "../" + filepath.Base(outside) + "/towns.gpkg", "folder": outside,
	} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "text.gpkg"), []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGPKG(t, filepath.Join(dir, "plain.gpkg"))
	g.run("DROP TABLE gpkg_contents")
	for connection, want := range map[string]error{
		filepath.Join(outside, "towns.gpkg"): registry.ErrConnectionString, "../x.gpkg": registry.ErrConnectionString,
		"File=": registry.ErrConnectionString, "": registry.ErrConnectionString, "a\x00b": registry.ErrConnectionString,
		"link.gpkg": registry.ErrUnavailable, "up.gpkg": registry.ErrUnavailable, "folder/towns.gpkg": registry.ErrUnavailable,
		"missing.gpkg": registry.ErrUnavailable, "text.gpkg": registry.ErrUnavailable, "plain.gpkg": registry.ErrUnavailable,
		"plain.gpkg?mode=rwc": registry.ErrUnavailable,
	} {
		if _, err := openSource(t, dir, connection); !errors.Is(err, want) {
			t.Errorf("%q: %v; want %v", connection, err, want)
		}
	}
	inside := t.TempDir()
	towns(t, inside)
	if err := os.Symlink("towns.gpkg", filepath.Join(inside, "alias ?#%.gpkg")); err != nil {
		t.Fatal(err)
	}
	if got, _ := collect(t, mustOpen(t, inside, "alias ?#%.gpkg"), townLayer(), registry.Query{}); len(got) != 4 {
		t.Errorf("%d features through a link inside", len(got))
	}
}

// A file that is replaced is served, one that vanishes goes on being served, and the checks say so.
func TestReplacedFile(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	towns(t, dir)
	source := mustOpen(t, dir, "towns.gpkg")
	g := newGPKG(t, filepath.Join(other, "towns.gpkg"))
	g.table("towns", townColumns, "POINT", 4326)
	for i := range 9 {
		g.run("INSERT INTO towns (fid, geom, name) VALUES (?, ?, 'x')", i+1, pointBlob(orb.Point{1, 2}))
	}
	if err := g.db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := source.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(other, "towns.gpkg"), filepath.Join(dir, "towns.gpkg")); err != nil {
		t.Fatal(err)
	}
	if findings, err := source.Check(t.Context(), townLayer()); len(findings) > 0 || err != nil {
		t.Errorf("%v, %v", findings, err)
	}
	if got, page := collect(t, source, townLayer(), registry.Query{}); len(got) != 9 || page.Matched != 9 {
		t.Errorf("%d features, %+v", len(got), page)
	}
	if after, err := source.Version(t.Context()); after == before || err != nil {
		t.Errorf("version %q stays (%v)", after, err)
	}
	if err := os.Remove(filepath.Join(dir, "towns.gpkg")); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Check(t.Context(), townLayer()); !errors.Is(err, registry.ErrUnavailable) {
		t.Errorf("check of a file that is gone: %v", err)
	}
	if got, _ := collect(t, source, townLayer(), registry.Query{}); len(got) != 9 {
		t.Errorf("%d features of a file that is gone", len(got))
	}
}
