package pages

import (
	"encoding/json"
	"strings"
	"testing"
)

// Settings reads a block marked "json settings": sections of an appsettings.json, without the braces around them.
func Settings(t testing.TB, block Block) (sections map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte("{"+block.Text+"}"), &sections); err != nil {
		t.Fatalf("%s: %v", block.Place(), err)
	}
	return sections
}

// Merge puts sections over others, key by key.
func Merge(into, over map[string]any) {
	for key, value := range over {
		section, is := value.(map[string]any)
		before, was := into[key].(map[string]any)
		if is && was {
			Merge(before, section)
		} else {
			into[key] = value
		}
	}
}

// Translate has the strings in sections name places of this machine, as Shell.Places does for commands.
func Translate(value any, places ...string) any {
	replacer := strings.NewReplacer(places...)
	switch v := value.(type) {
	case string:
		return replacer.Replace(v)
	case []any:
		for i := range v {
			v[i] = Translate(v[i], places...)
		}
	case map[string]any:
		for key := range v {
			v[key] = Translate(v[key], places...)
		}
	}
	return value
}
