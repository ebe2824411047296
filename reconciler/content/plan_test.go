package content

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

func planOf(layers int, salt string) catalog.Plan {
	plan := catalog.Plan{Environment: "production", Risk: catalog.RiskHigh}
	for i := range layers {
		plan.Added = append(plan.Added, catalog.Item{
			Kind: catalog.KindLayer, ID: fmt.Sprintf("layer-%d-%s", i, strings.Repeat(fmt.Sprint(i*7919%104729), len(salt))), Service: "gis",
			File: "environments/production/metadata.json",
		})
	}
	return plan
}

// A plan of ten thousand layers fits into the command that carries it.
func TestPlanSurvives(t *testing.T) {
	for _, layers := range []int{0, 1, 40, 10_000} {
		want := planOf(layers, "")
		stored, err := EncodePlan(want)
		if err != nil || len(stored) > MaxPlan {
			t.Fatalf("%d layers: %d bytes, %v", layers, len(stored), err)
		}
		got, err := DecodePlan(stored)
		if err != nil {
			t.Fatal(err)
		}
		if got.Risk != want.Risk || !cmp.Equal(got.Added, want.Added) && layers > 0 {
			t.Errorf("%d layers: %d came back with risk %v", layers, len(got.Added), got.Risk)
		}
	}
}

func TestPlanIsCutToFit(t *testing.T) {
	stored, err := EncodePlan(planOf(60_000, "salt"))
	if err != nil || len(stored) > MaxPlan {
		t.Fatalf("%d bytes, %v", len(stored), err)
	}
	got, err := DecodePlan(stored)
	if err != nil {
		t.Fatal(err)
	}
	last := got.Added[len(got.Added)-1].ID
	if want := fmt.Sprintf("… and %d more", 60_000-(len(got.Added)-1)); last != want || got.Risk != catalog.RiskHigh {
		t.Errorf("the list ends with %q, not %q", last, want)
	}
}

func TestDamagedPlan(t *testing.T) {
	for _, stored := range []string{"", "Z", "Z\xff", "Z\x05hello", "{", "nonsense"} {
		if _, err := DecodePlan([]byte(stored)); !errors.Is(err, ErrPlan) {
			t.Errorf("%q: %v", stored, err)
		}
	}
}
