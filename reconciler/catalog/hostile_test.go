package catalog

import (
	"fmt"
	"strings"
	"testing"
)

// Files made to be expensive cost no more than their size: this test hangs or runs out of memory if they do.
func TestParseHostileFiles(t *testing.T) {
	const size = 1 << 18
	repeat := func(text string) string { return strings.TrimSuffix(strings.Repeat(text, size/len(text)), ",") }
	numbered := func(format string) string {
		var out strings.Builder
		for i := 0; out.Len() < size; i++ {
			fmt.Fprintf(&out, format, i)
		}
		return strings.TrimSuffix(out.String(), ",")
	}
	layer := func(inside string) string {
		return `{"services": [{"id": "s", "title": "S", "layers": [` + inside + `]}]}`
	}
	cases := map[string]string{
		"empty layers":        layer(repeat(`{},`)),
		"numbers":             layer(repeat(`0,`)),
		"properties":          layer(`{"properties": [` + numbered(`{"name": "a%d", "type": "string"},`) + `]}`),
		"repeated properties": layer(`{"properties": [` + repeat(`{"name": "a", "type": "string"},`) + `]}`),
		"dangling references": layer(numbered(`{"id": "l%d", "datasource": "nothing"},`)),
		"unknown properties":  `{"services": [], ` + numbered(`"k%d": 1,`) + `}`,
		"repeated keys":       `{"services": [], ` + repeat(`"k": 1,`) + `}`,
		"one long key":        `{"` + strings.Repeat("k", size) + `": 1}`,
		"one long id":         `{"services": [{"id": "` + strings.Repeat("k", size) + `"}]}`,
		"escapes":             `{"services": [{"id": "` + strings.Repeat(`\u0041`, size/6) + `"}]}`,
		"a long number":       layer(`{"srid": ` + strings.Repeat("9", size) + `}`),
		"brackets":            strings.Repeat("[", size),
		"lines":               strings.Repeat("\n", size),
	}
	sources := `{"datasources": [` + numbered(`{"id": "source-%d", "type": "GeoJSON", "connectionString": "x"},`) + `]}`
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			defined := `{"datasources": []}`
			if name == "dangling references" {
				defined = sources
			}
			checkHostile(t, content, defined)
		})
	}
}

func checkHostile(t *testing.T, content, sources string) {
	model, problems := Parse("production", []File{
		{MetadataPath("production"), []byte(content)}, {DataSourcesPath("production"), []byte(sources)},
	})
	if len(problems) == 0 || len(problems) > 2*maxProblems+2 {
		t.Errorf("model %v, %d problems", model != nil, len(problems))
	}
	for _, problem := range problems {
		if len(problem.Error()) > 1000 {
			t.Errorf("a message of %d bytes", len(problem.Error()))
		}
	}
}
