package registry

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

func TestSwapKeepsRunningRequestsOnTheirCatalog(t *testing.T) {
	driver := &fakeDriver{}
	r, _ := newTestRegistry(t, driver, nil)
	r.Swap("production", mustBuild(t, r, "old", Strict, testModel(fakeSourceOf("cities", "a"))))
	held, release, ok := r.Current("production")
	if !ok || held.Digest() != "old" {
		t.Fatalf("Current = %v, %v", held, ok)
	}
	next := mustBuild(t, r, "new", Strict, testModel(fakeSourceOf("roads", "b")))
	if previous := r.Swap("production", next); previous != "old" {
		t.Errorf("Swap returned %q", previous)
	}
	if got, err := ask(t, held, "cities"); err != nil || got != `{"id":"cities"}` {
		t.Errorf("the held catalog answers %q, %v", got, err)
	}
	if driver.closedCount() != 0 {
		t.Error("a source was closed under a running request")
	}
	release()
	<-held.Drained()
	if driver.closedCount() != 1 {
		t.Error("the source of the drained catalog is still open")
	}
	if held.Acquire() {
		t.Error("a drained catalog was acquired")
	}
	if digest, _ := r.Digest("production"); digest != "new" {
		t.Errorf("Digest = %q", digest)
	}
}

func TestSourcesAreSharedAndClosedWithTheLastCatalog(t *testing.T) {
	driver := &fakeDriver{}
	r, _ := newTestRegistry(t, driver, map[string]string{"DB": "a"})
	first := mustBuild(t, r, "1", Strict, testModel(fakeSourceOf("one", "a"), fakeSourceOf("two", "${DB}")))
	second := mustBuild(t, r, "2", Strict, testModel(fakeSourceOf("three", "a")))
	if n := driver.openedCount(); n != 1 {
		t.Fatalf("opened %d times", n)
	}
	first.Release()
	if driver.closedCount() != 0 {
		t.Fatal("closed while another catalog uses it")
	}
	second.Release()
	if driver.closedCount() != 1 {
		t.Fatal("not closed after the last catalog")
	}
}

func TestSwapEdges(t *testing.T) {
	driver := &fakeDriver{}
	r, _ := newTestRegistry(t, driver, nil)
	if _, _, ok := r.Current("production"); ok {
		t.Fatal("something is active in an empty registry")
	}
	c := mustBuild(t, r, "1", Strict, testModel(fakeSourceOf("cities", "a")))
	r.Swap("production", c)
	r.Swap("production", c) // no second hold is given up
	if environments := r.Environments(); len(environments) != 1 || environments[0] != "production" {
		t.Errorf("Environments = %v", environments)
	}
	if _, err := ask(t, c, "gis-service::cities"); err != nil {
		t.Error(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if driver.closedCount() != 1 {
		t.Error("Close left a source open")
	}
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	r, _ := newTestRegistry(t, &fakeDriver{}, nil)
	c := mustBuild(t, r, "1", Structural, testModel())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close = %v with a catalog in use", err)
	}
	c.Release()
}

func TestConcurrentSwapAndCurrent(t *testing.T) {
	driver := &fakeDriver{}
	r, _ := newTestRegistry(t, driver, nil)
	model := testModel(fakeSourceOf("cities", "a"))
	r.Swap("production", mustBuild(t, r, "0", Strict, model))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				current, release, ok := r.Current("production")
				if !ok {
					t.Error("nothing active during swaps")
					return
				}
				if _, err := ask(t, current, "cities"); err != nil {
					t.Error(err)
				}
				release()
			}
		})
	}
	for range 200 {
		r.Swap("production", mustBuild(t, r, "n", Strict, model))
	}
	close(stop)
	readers.Wait()
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if driver.closedCount() != driver.openedCount() {
		t.Errorf("opened %d, closed %d", driver.openedCount(), driver.closedCount())
	}
}

func TestUnknownDataSourceOfLayer(t *testing.T) {
	r, _ := newTestRegistry(t, &fakeDriver{}, nil)
	model := testModel(fakeSourceOf("cities", "a"))
	model.DataSources = nil
	c, problems := r.Build(t.Context(), BuildInput{Environment: "production", Model: model})
	if c != nil || !catalog.HasErrors(problems) {
		t.Errorf("Build = %v, %v", c, problems)
	}
}
