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

// An environment that allows smaller pages than the shared default gets its own largest as the default. One that asks for
// more than is allowed is told so, where it asks.
func TestSharedDefaultFollowsTheEnvironmentsMaximum(t *testing.T) {
	for _, test := range []struct {
		shared, own string
		limit       int
		problem     string
	}{
		{`{"settings": {"Ogc": {"DefaultLimit": 10, "MaxLimit": 10000}}}`, `{"Ogc": {"MaxLimit": 3}}`, 3, ""},
		{`{"settings": {"Ogc": {"DefaultLimit": 10}}}`, `{"Ogc": {"MaxLimit": 3}}`, 3, ""},
		{`{"settings": {"Ogc": {"MaxLimit": 3}}}`, `{"Ogc": {"DefaultLimit": 10}}`, 0,
			"environments/production/appsettings.json:1:26: Ogc.DefaultLimit: must not exceed Ogc.MaxLimit"},
		{`{"settings": {"Ogc": {"DefaultLimit": 10, "MaxLimit": 3}}}`, `{}`, 0,
			"environments/common/shared-config.json:1:39: Ogc.DefaultLimit: must not exceed Ogc.MaxLimit"},
	} {
		model, problems := Parse("production", []File{
			{Path: MetadataPath("production"), Content: []byte(`{"services": []}`)},
			{Path: SharedConfigPath, Content: []byte(test.shared)}, {Path: AppSettingsPath("production"), Content: []byte(test.own)},
		})
		switch {
		case test.problem == "" && (model == nil || model.Settings.Ogc.DefaultLimit != test.limit):
			t.Errorf("%s: %v", test.own, problems)
		case test.problem != "" && (len(problems) != 1 || problems[0].Error() != test.problem):
			t.Errorf("%s: %v", test.own, problems)
		}
	}
}
