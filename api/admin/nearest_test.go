package admin

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"production-20261121-143022", "production-20261121-143022-2", "staging-20261121-143022", "development-20261120-090000"}
	tests := []struct {
		name string
		best string
	}{
		{"production-20261121-143022-3", "production-20261121-143022-2"},
		{"production-20261121-14302", "production-20261121-143022"},
		{"stging-20261121-143022", "staging-20261121-143022"},
		{"devel", "development-20261120-090000"},
		{"x", ""},
		{"", ""},
	}
	for _, tt := range tests {
		best := ""
		if found := nearest(tt.name, slices.Values(known)); len(found) > 0 {
			best = found[0]
		}
		if best != tt.best {
			t.Errorf("%q: %q, want %q", tt.name, best, tt.best)
		}
	}
}
