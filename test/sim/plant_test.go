package sim

import (
	"slices"
	"testing"
)

// plantedSeeds is within how many seeds each planted fault has to be seen.
const plantedSeeds = 150

// Every defect that can be planted is found, and named by a promise that it breaks.
func TestPlantedFaults(t *testing.T) {
	library := newLibrary(t)
	breaks := map[Fault][]string{
		ActivateTwice: {"I2"}, SkipIntent: {"I2"}, SkipSync: {"I2"}, SkipBundleSync: {"I6"}, SkipDirectorySync: {"I6"}, SwapStaged: {"I6"}, ServeForeign: {"I6"}, ActOnOld: {"I1", "I2"},
		DropAcknowledged: {"I3"}, ExecuteTwice: {"I3"}, DenyExecuted: {"I3"}, CountTwice: {"I5"}, ForgeTerm: {"I10"}, ReuseIndex: {"I4", "I11"},
		RollBackAnywhere: {"I7"}, LoseEntry: {"I11"}, CopyRecord: {"I12"}, HideRewrite: {"I13"}, ForgeAudit: {"I16"}, MisreadCommit: {"I17"},
		ForgetFinish: {"liveness"}, ForgetFollow: {"liveness"}, ReadAnywhere: {"I8"}, ReadAtOnce: {"I8"}, ShowOlder: {"I9"},
	}
	for _, fault := range Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			others := map[string]int{}
			for seed := uint64(1); seed <= plantedSeeds; seed++ {
				r := Run(t.Context(), library, Config{Seed: seed, Fault: fault})
				if r.Violation == nil {
					continue
				}
				if slices.Contains(breaks[fault], r.Violation.Promise) {
					t.Logf("found with seed %d at step %d: %.150v", seed, r.Steps, r.Violation)
					return
				}
				others[r.Violation.Promise]++
			}
			t.Errorf("not found in %d seeds; found as something else: %v", plantedSeeds, others)
		})
	}
}

func newLibrary(t testing.TB) *Library {
	t.Helper()
	library, err := NewLibrary()
	if err != nil {
		t.Fatal(err)
	}
	return library
}
