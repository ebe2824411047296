//go:build honua_next_format

package sim

import "testing"

// A cluster that takes a format into use which a node does not know is found.
func TestHiddenBuildIsFound(t *testing.T) {
	library := newLibrary(t)
	for seed := uint64(1); seed <= plantedSeeds; seed++ {
		r := Run(t.Context(), library, Config{Seed: seed, Fault: HideBuild})
		if r.Violation == nil {
			continue
		}
		if r.Violation.Promise != "upgrade" {
			t.Errorf("found as something else: %v", r.Violation)
		}
		t.Logf("found with seed %d at step %d: %v", seed, r.Steps, r.Violation)
		return
	}
	t.Errorf("not found in %d seeds", plantedSeeds)
}
