package catalog

import (
	"bytes"
	"fmt"
	"testing"
)

// largeFiles are an environment with the number of layers, about 600 bytes each, over 10 services.
func largeFiles(layers int) []File {
	var out bytes.Buffer
	out.WriteString("{\n  \"services\": [")
	for service := range 10 {
		fmt.Fprintf(&out, "%s\n    {\n      \"id\": \"service-%d\",\n      \"title\": \"Service %d\",\n      \"layers\": [", comma(service), service, service)
		for i := range layers / 10 {
			fmt.Fprintf(&out, `%s
        {
          "id": "layer-%d-%d",
          "title": "Layer %d of service %d",
          "description": "Roads, rivers and other lines that a map of this region shows",
          "datasource": "postgres-prod",
          "table": "public.layer_%d_%d",
          "geometryColumn": "geom",
          "geometryType": "LineString",
          "srid": 4326,
          "properties": [
            { "name": "name", "type": "string" },
            { "name": "population", "type": "integer" },
            { "name": "country", "type": "string" }
          ]
        }`, comma(i), service, i, i, service, service, i)
		}
		out.WriteString("\n      ]\n    }")
	}
	out.WriteString("\n  ]\n}\n")
	return []File{
		{Path: MetadataPath("production"), Content: out.Bytes()},
		{Path: DataSourcesPath("production"), Content: []byte(
			`{"datasources":[{"id":"postgres-prod","type":"PostgreSQL","connectionString":"${DB}"}]}`)},
	}
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// mustParse is the model of files that have no errors.
func mustParse(t testing.TB, files []File) *Model {
	t.Helper()
	model, problems := Parse("production", files)
	if model == nil {
		t.Fatalf("problems: %v", problems)
	}
	return model
}
