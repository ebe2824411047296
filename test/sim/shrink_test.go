package sim

import "testing"

// A failure is told with little more than what it takes: of a planted fault
// most of what else was done in the run is left out.
func TestShrink(t *testing.T) {
	library := newLibrary(t)
	for _, fault := range []Fault{SkipSync, ForgeTerm} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= plantedSeeds; seed++ {
				config := Config{Seed: seed, Fault: fault, recorded: true}
				failed := Run(t.Context(), library, config)
				if failed.Violation == nil {
					continue
				}
				small := Shrink(t.Context(), library, failed, config)
				if small.Violation == nil || small.Violation.Promise != failed.Violation.Promise {
					t.Fatalf("the shrunk run breaks %v, the run %v", small.Violation, failed.Violation)
				}
				if len(small.harms) > len(failed.harms)/2 && len(failed.harms) > 8 {
					t.Errorf("of %d harms %d are left", len(failed.harms), len(small.harms))
				}
				if len(small.Trace) == 0 {
					t.Error("the shrunk run has no trace")
				}
				t.Logf("seed %d: %d harms in %d steps became %d in %d: %s", seed, len(failed.harms), failed.Steps, len(small.harms), small.Steps, told(small.harms))
				return
			}
			t.Error("the fault was not seen")
		})
	}
}
