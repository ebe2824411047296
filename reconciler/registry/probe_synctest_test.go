package registry

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// hanging opens sources that answer no check.
type hanging struct{ *fakeDriver }

type hangingSource struct{ Source }

func (h hanging) Open(ctx context.Context, spec Spec) (Source, error) {
	source, err := h.fakeDriver.Open(ctx, spec)
	if err != nil || !strings.HasPrefix(spec.ConnectionString, "hang") {
		return source, err
	}
	return hangingSource{source}, nil
}

func (s hangingSource) Check(ctx context.Context, _ *catalog.Layer) ([]Finding, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A source that hangs is given up once, all its layers say so, and the others are still looked at.
func TestProbeGivesUpAHangingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newTestRegistry(t, hanging{&fakeDriver{}}, nil)
		model := testModel(fakeSourceOf("stuck", "hang"), fakeSourceOf("fine", "works"))
		again := model.Services[0].Layers[0]
		again.ID = "stuck-too"
		model.Services[0].Layers = append(model.Services[0].Layers, again)
		r.Swap("production", mustBuild(t, r, "d", Structural, model))
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		results, _ := r.Probe(ctx, "production")
		if took := time.Since(begun); took != 5*time.Second || ctx.Err() != nil {
			t.Errorf("it took %v, %v", took, ctx.Err())
		}
		for i, want := range []bool{false, true, false} {
			if results[i].OK != want || !want && !strings.Contains(results[i].Reason, "does not answer within 5s") {
				t.Errorf("%+v", results[i])
			}
		}
		r.Swap("production", nil)
	})
}

// A probe that ends before it has asked every source tells those that did not answer from those that were not waited for.
func TestProbeThatEndsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newTestRegistry(t, hanging{&fakeDriver{}}, nil)
		var sources []catalog.DataSource
		for i := range 6 {
			sources = append(sources, fakeSourceOf(fmt.Sprintf("stuck-%d", i), fmt.Sprintf("hang-%d", i)))
		}
		r.Swap("production", mustBuild(t, r, "d", Structural, testModel(sources...)))
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second) // four are asked at once, for five seconds each
		defer cancel()
		results, _ := r.Probe(ctx, "production")
		unknown := 0
		for _, result := range results {
			if result.OK || result.Unknown == strings.Contains(result.Reason, "does not answer within 5s") {
				t.Errorf("%+v", result)
			}
			if result.Unknown {
				unknown++
			}
		}
		if unknown != 2 || len(results) != 6 {
			t.Errorf("%d of %d are unknown", unknown, len(results))
		}
		r.Swap("production", nil)
	})
}
