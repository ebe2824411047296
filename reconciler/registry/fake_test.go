package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// fakeDriver opens sources that say which connection they are, as long as it is up.
type fakeDriver struct {
	down atomic.Bool

	mu       sync.Mutex
	opened   []string
	closed   []string
	findings map[string][]Finding // by layer
}

func (d *fakeDriver) Open(_ context.Context, spec Spec) (Source, error) {
	if d.down.Load() {
		return nil, fmt.Errorf("%w: cannot dial %s", ErrUnavailable, spec.ConnectionString)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = append(d.opened, spec.ConnectionString)
	return &fakeSource{driver: d, connection: spec.ConnectionString}, nil
}

func (d *fakeDriver) openedCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.opened)
}

func (d *fakeDriver) closedCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.closed)
}

type fakeSource struct {
	driver     *fakeDriver
	connection string
	shut       atomic.Bool
}

func (s *fakeSource) Check(_ context.Context, layer *catalog.Layer) ([]Finding, error) {
	if s.driver.down.Load() {
		return nil, fmt.Errorf("%w: lost %s", ErrUnavailable, s.connection)
	}
	return s.driver.findings[layer.ID], nil
}

func (s *fakeSource) Query(_ context.Context, layer *catalog.Layer, q Query, emit func([]byte) error) (Page, error) {
	if s.shut.Load() {
		return Page{}, errors.New("queried after Close")
	}
	if s.driver.down.Load() {
		return Page{}, fmt.Errorf("%w: lost %s", ErrUnavailable, s.connection)
	}
	return Page{Matched: 1, Returned: 1}, emit([]byte(`{"id":"` + layer.ID + `"}`))
}

func (s *fakeSource) Get(context.Context, *catalog.Layer, string, CRS) ([]byte, error) {
	return nil, ErrFeatureNotFound
}

func (s *fakeSource) Version(context.Context) (string, error) { return "", nil }

func (s *fakeSource) Close() error {
	s.shut.Store(true)
	s.driver.mu.Lock()
	defer s.driver.mu.Unlock()
	s.driver.closed = append(s.driver.closed, s.connection)
	return nil
}

func newTestRegistry(t *testing.T, driver Driver, environment map[string]string) (*Registry, *strings.Builder) {
	t.Helper()
	var log strings.Builder
	r, err := New(Config{
		Drivers:   map[string]Driver{"Fake": driver},
		LookupEnv: func(name string) (string, bool) { v, ok := environment[name]; return v, ok },
		ReadFile:  os.ReadFile,
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, &log
}

// testModel has one service with a layer for each source, named like it.
func testModel(sources ...catalog.DataSource) *catalog.Model {
	model := &catalog.Model{Environment: "production", DataSources: sources, Settings: catalog.DefaultSettings()}
	service := catalog.Service{ID: "gis-service"}
	for i, source := range sources {
		service.Layers = append(service.Layers, catalog.Layer{
			ID: source.ID, DataSource: source.ID, Service: service.ID,
			Pos: catalog.Position{File: "environments/production/metadata.json", Line: 10 + i, Column: 5},
		})
	}
	model.Services = []catalog.Service{service}
	return model
}

func fakeSourceOf(id, connection string) catalog.DataSource {
	return catalog.DataSource{ID: id, Type: "Fake", ConnectionString: connection,
		Pos: catalog.Position{File: "environments/production/datasources.json", Line: 3, Column: 7}}
}

func mustBuild(t *testing.T, r *Registry, digest string, checks Checks, model *catalog.Model) *Catalog {
	t.Helper()
	c, problems := r.Build(t.Context(), BuildInput{Environment: "production", Digest: digest, Model: model, Checks: checks})
	if c == nil {
		t.Fatalf("Build: %v", problems)
	}
	return c
}

// ask queries a layer and returns what it emitted.
func ask(t *testing.T, c *Catalog, layer string) (string, error) {
	t.Helper()
	found, ok := c.Layer(layer)
	if !ok {
		t.Fatalf("no layer %q", layer)
	}
	var got strings.Builder
	_, err := found.Query(t.Context(), Query{Limit: 1}, func(feature []byte) error {
		got.Write(feature)
		return nil
	})
	return got.String(), err
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
