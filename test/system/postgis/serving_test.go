//go:build system

package postgis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/api/ogc"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/postgis"
)

// serving is a registry with the PostGIS driver behind the OGC API, in this process.
type serving struct {
	t        testing.TB
	registry *registry.Registry
	server   *httptest.Server
}

func serve(t testing.TB, connection string) *serving {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	driver, err := postgis.New(postgis.Config{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.New(registry.Config{
		Drivers: map[string]registry.Driver{"PostgreSQL": driver}, ReadFile: os.ReadFile, Logger: logger,
		LookupEnv: func(name string) (string, bool) { return connection, name == "DB_CONNECTION_STRING" },
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := ogc.New(ogc.Config{Registry: r, Environments: []string{"production"}, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	s := &serving{t: t, registry: r, server: httptest.NewServer(handler)}
	t.Cleanup(func() {
		s.server.Close()
		if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// deploy builds what a commit's files say, as staging does, and swaps it in.
func (s *serving) deploy(digest, title string, properties ...string) {
	s.t.Helper()
	var shown []string
	for _, p := range properties {
		shown = append(shown, fmt.Sprintf(`{"name": %q, "type": "string"}`, p))
	}
	metadata := fmt.Sprintf(`{"services": [{"id": "gis", "title": "GIS", "layers": [{"id": "cities", "title": %q, "datasource": "main-db",
		"table": "public.cities", "geometryColumn": "geom", "geometryType": "Point", "srid": 4326, "properties": [%s]}]}]}`,
		title, strings.Join(shown, ","))
	sources := `{"datasources": [{"id": "main-db", "type": "PostgreSQL", "connectionString": "${DB_CONNECTION_STRING}"}]}`
	settings := `{"Ogc": {"MaxLimit": 10000}}`
	model, problems := catalog.Parse("production", []catalog.File{
		{Path: "environments/production/metadata.json", Content: []byte(metadata)},
		{Path: "environments/production/datasources.json", Content: []byte(sources)},
		{Path: "environments/production/appsettings.json", Content: []byte(settings)},
	})
	if model == nil {
		s.t.Fatal(problems)
	}
	built, problems := s.registry.Build(s.t.Context(), registry.BuildInput{
		Environment: "production", Digest: digest, Model: model, Checks: registry.Strict})
	if built == nil {
		s.t.Fatal(problems)
	}
	s.registry.Swap("production", built)
}

type featurePage struct {
	Features []struct {
		Properties map[string]string `json:"properties"`
	} `json:"features"`
}

// 100 clients read while the catalog is swapped 200 times: no response fails, and each is of one configuration, the
// one that its header names (I6). The next swap waits for two answers: one may be older than this one, the other is not.
func TestSwapsUnderLoad(t *testing.T) {
	const clients, swaps = 100, 200
	d := newDatabase(t, newServer(t), "swaps", `
		CREATE TABLE public.cities (id serial PRIMARY KEY, geom geometry(Point, 4326), odd text, even text);
		INSERT INTO public.cities (geom, odd, even) SELECT ST_SetSRID(ST_Point(i, i), 4326), 'odd', 'even' FROM generate_series(1, 80) i`)
	s := serve(t, d.connection())
	s.deploy("even-0", "Cities", "even")
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	answered := make(chan struct{}, 1)
	for range clients {
		group.Go(func() {
			defer stop()
			for ctx.Err() == nil {
				if err := s.readOnce(); err != nil {
					t.Error(err)
					return
				}
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		})
	}
	for i := range swaps {
		kind := []string{"even", "odd"}[i%2]
		s.deploy(fmt.Sprintf("%s-%d", kind, i), "Cities "+kind, kind)
		for range 2 {
			select {
			case <-answered:
			case <-ctx.Done():
			}
		}
	}
	stop()
	group.Wait()
}

func (s *serving) readOnce() error {
	request, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodGet,
		s.server.URL+"/ogc/collections/cities/items?limit=50&bbox=0,0,70,70", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d, %w: %s", response.StatusCode, err, body)
	}
	kind, _, _ := strings.Cut(response.Header.Get("Honua-Digest"), "-")
	var page featurePage
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&page); err != nil || len(page.Features) != 50 {
		return fmt.Errorf("%d features, %w", len(page.Features), err)
	}
	for _, f := range page.Features {
		if len(f.Properties) != 1 || f.Properties[kind] != kind {
			return fmt.Errorf("digest of %s shows %v", kind, f.Properties)
		}
	}
	return nil
}

// A page of 10,000 of a million points adds at most 32 MB to what the process holds, for eight clients at once.
func TestMemoryOfLargePages(t *testing.T) {
	const bound = 32 << 20
	d := newDatabase(t, newServer(t), "large", `
		CREATE TABLE public.cities (id serial PRIMARY KEY, geom geometry(Point, 4326), name text);
		INSERT INTO public.cities (geom, name) SELECT ST_SetSRID(ST_Point(random() * 360 - 180, random() * 180 - 90), 4326),
		  'Settlement number ' || i FROM generate_series(1, 1000000) i;
		CREATE INDEX ON public.cities USING gist (geom); ANALYZE public.cities`)
	s := serve(t, d.connection())
	s.deploy("large", "Cities", "name")
	read := func(query string) {
		response, err := http.Get(s.server.URL + "/ogc/collections/cities/items?" + query)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		if n, err := io.Copy(io.Discard, response.Body); err != nil || n < 100 {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	read("limit=10")
	before := heap()
	var peak atomic.Uint64
	watched, stop := context.WithCancel(t.Context())
	var watcher, readers sync.WaitGroup
	watcher.Go(func() {
		for tick := time.NewTicker(2 * time.Millisecond); watched.Err() == nil; <-tick.C {
			peak.Store(max(peak.Load(), held()))
		}
	})
	for i := range 8 {
		readers.Go(func() {
			read("limit=10000")
			read(fmt.Sprintf("limit=10000&offset=%d&bbox=-120,-60,120,60", 1000*i))
		})
	}
	readers.Wait()
	stop()
	watcher.Wait()
	if added := int64(peak.Load()) - int64(before); added > bound {
		t.Errorf("16 pages of 10,000 features added %d MiB, at most %d MiB may be", added>>20, bound>>20)
	}
}

func heap() uint64 {
	runtime.GC()
	return held()
}

// held is the heap in use, garbage included.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
