package geojson

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

const cities = `{
  "type": "FeatureCollection",
  "features": [
    {"type": "Feature", "id": 1, "geometry": {"type": "Point", "coordinates": [2.35, 48.86]},
     "properties": {"name": "Paris", "population": 2100000, "capital": true, "founded": "0250-01-01", "area": 105.4}},
    {"type": "Feature", "id": 2, "geometry": {"type": "Point", "coordinates": [179.0, -17.0, 12]},
     "properties": {"name": "Suva \"west\"", "population": 93000, "capital": false, "founded": "1882-05-01", "area": 26}},
    {"type": "Feature", "id": 3, "geometry": {"type": "Point", "coordinates": [-179.5, -16.5]},
     "properties": {"name": "Su\u0076a <&> east", "population": null, "capital": true, "founded": "1900-05-01", "area": 1.5}},
    {"type": "Feature", "id": 4, "geometry": null,
     "properties": {"name": "Nowhere", "population": 0, "capital": false, "founded": null, "area": 0}}
  ]
}`

func testDriver(t *testing.T, files map[string]string) (*Driver, string) {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "data")
	for name, content := range files {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(Config{DataDirectory: directory, Logger: slog.New(slog.DiscardHandler), RefreshInterval: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	return d, directory
}

func open(t *testing.T, d *Driver, connection string) registry.Source {
	t.Helper()
	s, err := d.Open(t.Context(), registry.Spec{ID: "files", Type: "GeoJSON", ConnectionString: connection})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenSpellings(t *testing.T) {
	d, _ := testDriver(t, map[string]string{"cities.geojson": cities, "a/b c.geojson": cities, "a=b.geojson": cities})
	for _, connection := range []string{
		"cities.geojson", " cities.geojson ", "./cities.geojson", "File=cities.geojson", "file = cities.geojson;",
		"Data Source=cities.geojson;Mode=ReadOnly", "a=b.geojson",
		"a/b c.geojson", "a/../cities.geojson",
	} {
		if _, err := d.Open(t.Context(), registry.Spec{ConnectionString: connection}); err != nil {
			t.Errorf("%q: %v", connection, err)
		}
	}
}

// Nothing outside the data directory is read: neither by path nor through links.
func TestOpenNeverLeavesTheDataDirectory(t *testing.T) {
	d, directory := testDriver(t, map[string]string{"cities.geojson": cities, "sub/x.geojson": cities})
	outside := filepath.Join(filepath.Dir(directory), "secret.geojson")
	if err := os.WriteFile(outside, []byte(cities), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"absolute.geojson": outside, "relative.geojson": "../secret.geojson", "up": "..", "sub/up": "../..",
		"inside.geojson": "cities.geojson",
	} {
		if err := os.Symlink(to, filepath.Join(directory, link)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Open(t.Context(), registry.Spec{ConnectionString: "inside.geojson"}); err != nil {
		t.Errorf("a link inside the directory: %v", err)
	}
	for _, connection := range []string{
		"", "File=", ".", "..", "../secret.geojson", "sub/../../secret.geojson", outside, "File=" + outside,
		"file://" + outside, "absolute.geojson", "relative.geojson", "up/secret.geojson", "sub/up/secret.geojson",
		"missing.geojson", "sub", "cities.geojson/x", "cities.geojson\x00.png",
	} {
		s, err := d.Open(t.Context(), registry.Spec{ConnectionString: connection})
		if err == nil {
			t.Errorf("%q was opened: %v", connection, s)
			continue
		}
		if !errors.Is(err, registry.ErrConnectionString) && !errors.Is(err, registry.ErrUnavailable) {
			t.Errorf("%q: %v wraps no sentinel", connection, err)
		}
	}
}

// A pipe would block whoever opens it.
func TestOpenRefusesPipes(t *testing.T) {
	d, directory := testDriver(t, map[string]string{"cities.geojson": cities})
	if err := syscall.Mkfifo(filepath.Join(directory, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), registry.Spec{ConnectionString: "pipe"}); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("err = %v", err)
	}
}

func TestOpenReasons(t *testing.T) {
	d, directory := testDriver(t, map[string]string{"broken.geojson": "{\n  \"type\": oops}", "big.geojson": cities})
	d.config.MaxFileBytes = 100
	for connection, want := range map[string]string{
		"gone.geojson":   `file "gone.geojson": it does not exist`,
		"broken.geojson": `file "broken.geojson": not a GeoJSON FeatureCollection: line 2, column 11`,
		"big.geojson":    "too large",
		"/etc/passwd":    "must be relative",
	} {
		_, err := d.Open(t.Context(), registry.Spec{ConnectionString: connection})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", connection, err, want)
		}
	}
	if err := os.RemoveAll(directory); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), registry.Spec{ConnectionString: "x"}); err == nil || !strings.Contains(err.Error(), directory) {
		t.Errorf("err = %v", err)
	}
}

// A changed file is served; a broken or vanished one leaves what was read before, and the checks say so.
func TestRefresh(t *testing.T) {
	d, directory := testDriver(t, map[string]string{"cities.geojson": cities})
	s := open(t, d, "cities.geojson")
	path := filepath.Join(directory, "cities.geojson")
	layer := &catalog.Layer{ID: "cities"}
	before, _ := s.Version(t.Context())

	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(cities, "Paris", "Lutetia", 1))
	if _, err := s.Check(t.Context(), layer); err != nil {
		t.Fatal(err)
	}
	after, _ := s.Version(t.Context())
	if got := collect(t, s, layer, registry.Query{Limit: 1}); after == before || !strings.Contains(got[0], "Lutetia") {
		t.Errorf("version %s to %s, %s", before, after, got)
	}
	write("{broken")
	if got := collect(t, s, layer, registry.Query{Limit: 1}); !strings.Contains(got[0], "Lutetia") {
		t.Errorf("a broken file changed the answer: %s", got)
	}
	for range 2 {
		if _, err := s.Check(t.Context(), layer); !errors.Is(err, registry.ErrUnavailable) {
			t.Errorf("broken: %v", err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(t.Context(), layer); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("vanished: %v", err)
	}
	if got := collect(t, s, layer, registry.Query{Limit: 1}); len(got) != 1 {
		t.Error("a vanished file is not served on")
	}
	write(cities)
	if _, err := s.Check(t.Context(), layer); err != nil {
		t.Errorf("back: %v", err)
	}
}

func TestConfigValidate(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	for name, bad := range map[string]Config{
		"directory": {Logger: logger}, "logger": {DataDirectory: "x"},
		"size":    {DataDirectory: "x", Logger: logger, MaxFileBytes: 1 << 32},
		"refresh": {DataDirectory: "x", Logger: logger, RefreshInterval: -1},
	} {
		if _, err := New(bad); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
