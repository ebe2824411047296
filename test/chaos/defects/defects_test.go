package defects

import (
	"slices"
	"testing"

	"github.com/honua-io/honua-gitops/internal/planted"
)

func TestEveryDefectIsLookedFor(t *testing.T) {
	var names []string
	for _, d := range All() {
		if slices.Contains(names, d.Name) || len(d.Breaks) == 0 || len(d.Faults) == 0 {
			t.Errorf("%+v", d)
		}
		names = append(names, d.Name)
	}
	for _, d := range planted.Defects() {
		if !slices.Contains(names, string(d)) {
			t.Errorf("nobody looks for %q", d)
		}
	}
}
