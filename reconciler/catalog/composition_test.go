package catalog

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// appsettings.json overrides the shared settings, which override the defaults; the environment's data sources override
// shared ones of the same id whole. Each value names where it comes from and what it overrides.
func TestComposition(t *testing.T) {
	files := []File{
		{Path: AppSettingsPath("production"), Content: []byte(`{"Ogc": {"MaxLimit": 500}, "Note": {"a": [1]}}`)},
		{Path: DataSourcesPath("production"), Content: []byte(`{"datasources": [
  {"id": "Main", "type": "PostgreSQL", "connectionString": "${PROD}"}]}`)},
		{Path: SharedConfigPath, Content: []byte(`{"datasources": [
  {"id": "main", "type": "GeoJSON", "connectionString": "a.geojson"},
  {"id": "base", "type": "GeoJSON", "connectionString": "secret-name.geojson"}],
 "settings": {"Ogc": {"MaxLimit": 50, "DefaultLimit": 20}, "ResponseCaching": {"MaxAgeSeconds": 90}}}`)},
	}
	got := Compose("production", files)
	settings := map[string]ComposedSetting{}
	for _, s := range got.Settings {
		settings[s.Name] = s
	}
	app, shared := AppSettingsPath("production"), SharedConfigPath
	for _, want := range []ComposedSetting{
		{"Ogc.MaxLimit", 500, FromEnvironment, Position{app, 1, 22}, Position{shared, 4, 35}},
		{"Ogc.DefaultLimit", 20, FromShared, Position{shared, 4, 55}, Position{}},
		{"ResponseCaching.MaxAgeSeconds", 90, FromShared, Position{shared, 4, 97}, Position{}},
		{"Cors.MaxAgeSeconds", 600, FromDefault, Position{}, Position{}},
		{"Cors.AllowedOrigins", []string{}, FromDefault, Position{}, Position{}},
		{"Note", json.RawMessage(`{"a":[1]}`), FromEnvironment, Position{app, 1, 36}, Position{}},
	} {
		if diff := cmp.Diff(want, settings[want.Name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	sources := []ComposedDataSource{
		{"Main", "PostgreSQL", FromEnvironment, Position{DataSourcesPath("production"), 2, 3}, Position{shared, 2, 3}},
		{"base", "GeoJSON", FromShared, Position{shared, 3, 3}, Position{}},
	}
	if diff := cmp.Diff(sources, got.DataSources); diff != "" {
		t.Errorf("data sources (-want +got):\n%s", diff)
	}
}
