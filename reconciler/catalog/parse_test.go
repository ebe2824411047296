package catalog

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseMeaning(t *testing.T) {
	model := mustParse(t, []File{
		{Path: MetadataPath("production"), Content: []byte(`{"services": [{"id": "s", "title": "T\u00e4", "theme": {"a" : 1}, "layers": [
{"id": "cities", "title": "Cities", "datasource": "PG", "table": "public.cities", "geometryColumn": "geom", "geometryType": "point",
 "srid": 4326, "properties": [{"name": "name", "type": "text"}], "idColumn": "gid", "bbox": [-1, -2, 3, 4.5]}]}]}`)},
		{Path: DataSourcesPath("production"), Content: []byte(`{"datasources": [{"id": "pg", "type": "postgresql", "connectionString": "${DB}"}]}`)},
		{Path: SharedConfigPath, Content: []byte(`{"datasources": [{"id": "PG", "type": "GeoJSON", "connectionString": "x"},
{"id": "files", "type": "GeoJSON", "connectionString": "cities.geojson"}]}`)},
		{Path: "environments/production/README.md", Content: []byte("hello")},
	})
	want := []Service{{
		ID: "s", Title: "Tä", Extra: map[string]json.RawMessage{"theme": json.RawMessage(`{"a":1}`)},
		Pos: Position{MetadataPath("production"), 1, 15},
		Layers: []Layer{{
			ID: "cities", Title: "Cities", DataSource: "pg", Table: "public.cities", GeometryColumn: "geom", GeometryType: "Point",
			SRID: 4326, Properties: []Property{{Name: "name", Type: "string"}}, IDColumn: "gid", BBox: []float64{-1, -2, 3, 4.5},
			Service: "s", Pos: Position{MetadataPath("production"), 2, 1},
		}},
	}}
	if diff := cmp.Diff(want, model.Services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	sources := []DataSource{
		{ID: "pg", Type: TypePostgreSQL, ConnectionString: "${DB}", Pos: Position{DataSourcesPath("production"), 1, 18}, Overrides: Position{SharedConfigPath, 1, 18}},
		{ID: "files", Type: TypeGeoJSON, ConnectionString: "cities.geojson", Shared: true, Pos: Position{SharedConfigPath, 2, 1}},
	}
	if diff := cmp.Diff(sources, model.DataSources); diff != "" {
		t.Errorf("data sources (-want +got):\n%s", diff)
	}
	digest := []FileDigest{{"environments/production/README.md", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}}
	if diff := cmp.Diff(digest, model.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if _, found := model.Layer("CITIES"); !found {
		t.Error("layers are not found in another case")
	}
}

func TestParseSettingsPrecedence(t *testing.T) {
	model := mustParse(t, []File{
		{Path: MetadataPath("production"), Content: []byte(`{"services": []}`)},
		{Path: AppSettingsPath("production"), Content: []byte(`{"Ogc": {"MaxLimit": 5}, "Cors": {"MaxAgeSeconds": 60}}`)},
		{Path: SharedConfigPath, Content: []byte(`{"settings": {"Ogc": {"MaxLimit": 50},
"Cors": {"Enabled": true, "AllowedOrigins": ["https://a.example:8080"], "MaxAgeSeconds": 1}}}`)},
	})
	want := DefaultSettings()
	want.Ogc = OgcSettings{DefaultLimit: 5, MaxLimit: 5}
	want.Cors.Enabled, want.Cors.AllowedOrigins, want.Cors.MaxAge = true, []string{"https://a.example:8080"}, time.Minute
	want.Sources = map[string]Position{
		"Ogc.MaxLimit":        {AppSettingsPath("production"), 1, 22},
		"Cors.MaxAgeSeconds":  {AppSettingsPath("production"), 1, 52},
		"Cors.Enabled":        {SharedConfigPath, 2, 21},
		"Cors.AllowedOrigins": {SharedConfigPath, 2, 45},
	}
	want.Overridden = map[string]Position{
		"Ogc.MaxLimit":       {SharedConfigPath, 1, 35},
		"Cors.MaxAgeSeconds": {SharedConfigPath, 2, 90},
	}
	if diff := cmp.Diff(want, model.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestParseRefusesSyntax(t *testing.T) {
	cases := map[string]struct {
		line, column int
		message      string
	}{
		"":                               {1, 1, "the file is empty"},
		" \n ":                           {1, 1, "the file is empty"},
		"\xef\xbb\xbf{}":                 {1, 1, "byte order mark"},
		"\xff\xfe{\x00}\x00":             {1, 1, "UTF-16"},
		"{\n \"a\": \"\xc3(\"}":          {2, 8, "not UTF-8"},
		"{\"a\": 'b'}":                   {1, 7, "strings need double quotes"},
		"{a: 1}":                         {1, 2, "a property name in double quotes"},
		"{\"a\" 1}":                      {1, 6, "':' after a property name"},
		"{\"a\": 01}":                    {1, 7, "must not begin with 0"},
		"{\"a\": 1.}":                    {1, 7, "digits after its decimal point"},
		"{\"a\": 1e}":                    {1, 7, "digits in its exponent"},
		"{\"a\": -}":                     {1, 7, "no digits"},
		"{\"a\": NaN}":                   {1, 7, "found 'N'"},
		"{\"a\": truee}":                 {1, 7, "found 't'"},
		"{\"a\": \"b\nc\"}":              {1, 9, "must end on its line"},
		"{\"a\": \"b\tc\"}":              {1, 9, "control character"},
		"{\"a\": \"\\x\"}":               {1, 8, "unknown escape"},
		"{\"a\": \"\\ud800\"}":           {1, 8, "surrogate"},
		"{\"a\": \"\\ud800\\u0041\"}":    {1, 8, "surrogate"},
		"{\"a\": \"\\u12g4\"}":           {1, 8, "four hexadecimal digits"},
		"{\"a\": \"b":                    {1, 7, "not closed"},
		"{\"a\": \"b\\":                  {1, 9, "inside an escape"},
		"{\"a\": [1, 2":                  {1, 12, "the file ends inside a list"},
		"{\"a\": 1,":                     {1, 9, "the file ends inside an object"},
		"{\"a\":":                        {1, 6, "the file ends where a value should be"},
		"{\"a\"":                         {1, 5, "but the file ends"},
		"[1,]":                           {1, 3, "trailing comma"},
		"{} // end":                      {1, 4, "comments are not allowed"},
		strings.Repeat("[", 65):          {1, 65, "nested deeper than 64"},
		"{\"é\": \"é\", x}":              {1, 14, "found 'x'"},
		strings.Repeat("\r\n", 3) + "{,": {4, 2, "found ','"},
	}
	for content, want := range cases {
		model, problems := Parse("production", []File{{MetadataPath("production"), []byte(content)}})
		if model != nil || len(problems) != 1 {
			t.Errorf("%q: model %v, problems %v", content, model, problems)
			continue
		}
		got := problems[0]
		if got.Line != want.line || got.Column != want.column || !strings.Contains(got.Message, want.message) ||
			!strings.HasPrefix(got.Message, "Invalid JSON in configuration file: ") {
			t.Errorf("%q: %v; want %d:%d and %q", content, got, want.line, want.column, want.message)
		}
	}
}

func TestParseManyDuplicateKeys(t *testing.T) {
	var content bytes.Buffer
	content.WriteString(`{"services": [], "x": {`)
	for i := range 100 {
		content.WriteString(comma(i) + `"k` + string(rune('a'+i%50)) + `": 1`)
	}
	content.WriteString("}}")
	_, problems := Parse("production", []File{{MetadataPath("production"), content.Bytes()}})
	count := 0
	for _, problem := range problems {
		if problem.Code == CodeDuplicateKey {
			count++
		}
	}
	if count != 50 {
		t.Errorf("%d duplicate keys, want 50", count)
	}
}

func TestParseBoundsProblems(t *testing.T) {
	content := `{"services": [` + strings.TrimSuffix(strings.Repeat("1,", 5000), ",") + `]}`
	_, problems := Parse("production", []File{{MetadataPath("production"), []byte(content)}})
	if len(problems) != maxProblems+1 || problems[maxProblems].Message != "4000 more problems of severity error are not shown" {
		t.Errorf("%d problems, the last %v", len(problems), problems[len(problems)-1])
	}
}

func TestParseFileGivenTwice(t *testing.T) {
	file := File{MetadataPath("production"), []byte(`{"services": []}`)}
	if model, problems := Parse("production", []File{file, file}); model != nil || len(problems) != 1 {
		t.Errorf("problems: %v", problems)
	}
}

// Promise I17: nothing is read from nothing. Neither absent nor empty files mean "no services".
func TestI17NothingIsNoConfiguration(t *testing.T) {
	for _, files := range [][]File{nil, {{Path: MetadataPath("production")}}, {{MetadataPath("production"), []byte("{}")}}, {{MetadataPath("production"), []byte("null")}}} {
		if model, problems := Parse("production", files); model != nil || !HasErrors(problems) {
			t.Errorf("%v: model %v, problems %v", files, model, problems)
		}
	}
}
