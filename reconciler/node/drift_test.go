package node

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// probed is a registry of which only the probe is asked.
type probed struct {
	roads atomic.Pointer[registry.ProbeResult]
}

func (p *probed) Build(context.Context, registry.BuildInput) (*registry.Catalog, []catalog.Problem) {
	return nil, nil
}
func (p *probed) Swap(string, *registry.Catalog) string { return "" }
func (p *probed) Digest(string) (string, bool)          { return "", false }
func (p *probed) Probe(context.Context, string) ([]registry.ProbeResult, bool) {
	return []registry.ProbeResult{{Layer: "cities", OK: true}, *p.roads.Load()}, true
}

// What breaks after a deployment is reported until it works again, layer by layer.
func TestDriftIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &probed{}
		source.roads.Store(&registry.ProbeResult{Layer: "roads", OK: true})
		n := &Node{
			config: Config{Registry: source, Logger: slog.New(slog.DiscardHandler)},
			serves: map[string]serving{}, advanced: make(chan struct{}),
		}
		n.note("production", serving{Entry: Entry{Environment: "production", ActivationIndex: 3}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.searchDrift(ctx) }()

		drift := func() string {
			time.Sleep(defaultProbeInterval + time.Second)
			synctest.Wait()
			return n.Serves()[0].Drift
		}
		if got := drift(); got != "" {
			t.Errorf("drift %q although everything works", got)
		}
		source.roads.Store(&registry.ProbeResult{Layer: "roads", Reason: "the file does not exist"})
		if got := drift(); got != "layer roads: the file does not exist" {
			t.Errorf("drift %q", got)
		}
		source.roads.Store(&registry.ProbeResult{Layer: "roads", OK: true})
		if got := drift(); got != "" {
			t.Errorf("drift %q after it was mended", got)
		}
		stop()
		<-done
	})
}

// A probe of what was served before says nothing about what is served now.
func TestDriftOfAnEarlierActivationIsDropped(t *testing.T) {
	n := &Node{serves: map[string]serving{}, advanced: make(chan struct{})}
	n.note("production", serving{Entry: Entry{ActivationIndex: 4}})
	if n.noteDrift(Serving{Environment: "production", ActivationIndex: 3}, "layer roads: gone") {
		t.Error("the drift of activation 3 was put down to activation 4")
	}
}

func TestDriftMessageIsBounded(t *testing.T) {
	if got, want := driftMessage([]string{"a", "b", "c", "d", "e"}), "a; b; c; and 2 more"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
