package ogc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// generation is a model whose features, schema, titles and file all carry its number.
func generation(n int) *catalog.Model {
	column := fmt.Sprintf("column%d", n)
	return &catalog.Model{
		Environment: "production", Settings: catalog.DefaultSettings(),
		DataSources: []catalog.DataSource{{ID: "towns", Type: "GeoJSON", ConnectionString: fmt.Sprintf("gen%d.geojson", n)}},
		Services: []catalog.Service{{ID: "s", Layers: []catalog.Layer{{
			ID: "towns", Title: fmt.Sprintf("generation %d", n), DataSource: "towns", Service: "s",
			Properties: []catalog.Property{{Name: column, Type: "string"}},
		}}}},
	}
}

// I6: what a response shows is one activated digest, the one that it names, however many swaps happen meanwhile: 100
// clients, 200 deployments, not one failed or mixed response.
func TestResponsesAreOfOneDigestUnderSwaps(t *testing.T) {
	const generations, swaps, clients = 4, 200, 100
	b := newBench(t, nil)
	for n := range generations {
		column := fmt.Sprintf("column%d", n)
		b.write(fmt.Sprintf("gen%d.geojson", n), strings.ReplaceAll(towns(30, fmt.Sprintf("gen%d", n)), `"mark"`, fmt.Sprintf("%q", column)))
	}
	b.activate("0", generation(0))
	stop := make(chan struct{})
	var group sync.WaitGroup
	answered, failed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	for client := range clients {
		group.Go(func() {
			for turn := client; ; turn++ {
				path := []string{"/ogc/collections/towns/items?limit=20", "/ogc/collections/towns", "/ogc/collections",
					"/ogc/collections/towns/queryables", "/ogc/collections/towns/items/7"}[turn%5]
				recorder := httptest.NewRecorder()
				b.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
				if err := ofOneDigest(recorder); err != nil {
					t.Errorf("%s: %v", path, err)
					once.Do(func() { close(failed) })
					return
				}
				select {
				case answered <- struct{}{}:
				case <-stop:
					return
				}
			}
		})
	}
	for n := range swaps {
		// Each swap falls into the midst of requests: some have been answered, the others are under way.
		for range 10 {
			select {
			case <-answered:
			case <-failed:
			}
		}
		b.activate(fmt.Sprint(n%generations), generation(n%generations))
	}
	close(stop)
	group.Wait()
}

func ofOneDigest(got *httptest.ResponseRecorder) error {
	digest := got.Header().Get("Honua-Digest")
	if got.Code != http.StatusOK || digest == "" {
		return fmt.Errorf("status %d, digest %q", got.Code, digest)
	}
	var answer struct {
		Title       string
		Collections []struct{ Title string }
		Features    []struct{ Properties map[string]string }
		Properties  map[string]any // of one feature, or the schema of the queryables
	}
	if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil {
		return err
	}
	if answer.Properties != nil && answer.Properties["column"+digest] == nil {
		return fmt.Errorf("digest %s has %v", digest, answer.Properties)
	}
	if len(answer.Features) > 0 && len(answer.Features) != 20 {
		return fmt.Errorf("%d features", len(answer.Features))
	}
	for _, f := range answer.Features {
		if len(f.Properties) != 1 || f.Properties["column"+digest] != "gen"+digest {
			return fmt.Errorf("digest %s shows %v", digest, f.Properties)
		}
	}
	for _, c := range answer.Collections {
		answer.Title = c.Title
	}
	if answer.Title != "" && answer.Title != "generation "+digest {
		return fmt.Errorf("digest %s has title %q", digest, answer.Title)
	}
	return nil
}

// scripted is a source that emits as many features as are asked for and then fails, if told so.
type scripted struct {
	registry.Source
	failAfter int // -1: never
}

var errScripted = fmt.Errorf("%w: connection reset", registry.ErrUnavailable)

func (s scripted) Open(context.Context, registry.Spec) (registry.Source, error) { return s, nil }
func (s scripted) Version(context.Context) (string, error)                      { return "", nil }
func (s scripted) Close() error                                                 { return nil }

func (s scripted) Query(_ context.Context, _ *catalog.Layer, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	feature := []byte(`{"type":"Feature","geometry":null,"properties":{"padding":"` + strings.Repeat("x", 400) + `"}}`)
	for i := range q.Limit {
		if i == s.failAfter {
			return registry.Page{}, errScripted
		}
		if err := emit(feature); err != nil {
			return registry.Page{}, err
		}
	}
	return registry.Page{Matched: -1, Returned: q.Limit}, nil
}

func scriptedHandler(t testing.TB, source scripted) *Handler {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	r, err := registry.New(registry.Config{
		Drivers: map[string]registry.Driver{"Scripted": source}, Logger: logger, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	model := generation(0)
	model.DataSources[0].Type = "Scripted"
	c, problems := r.Build(t.Context(), registry.BuildInput{Environment: "production", Digest: "d", Model: model})
	if c == nil {
		t.Fatal(problems)
	}
	r.Swap("production", c)
	h, err := New(Config{Registry: r, Environments: []string{"production"}, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A source that fails early gets a status; one that fails after the status has gone out breaks the connection, so
// that nobody takes half a page for a whole one.
func TestFailureWhileStreaming(t *testing.T) {
	early := httptest.NewServer(scriptedHandler(t, scripted{failAfter: 5}))
	defer early.Close()
	late := httptest.NewServer(scriptedHandler(t, scripted{failAfter: 500}))
	defer late.Close()
	got, err := http.Get(early.URL + "/ogc/collections/towns/items?limit=10")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	_ = got.Body.Close()
	if got.StatusCode != http.StatusServiceUnavailable || err != nil || strings.Contains(string(body), "reset") {
		t.Errorf("early: %s %v %s", got.Status, err, body)
	}
	// Uncompressed: what compresses well would still be in the server's buffer, and nothing would have gone out.
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	got, err = client.Get(late.URL + "/ogc/collections/towns/items?limit=1000")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(got.Body)
	_ = got.Body.Close()
	if got.StatusCode != http.StatusOK || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("late: %s %v", got.Status, err)
	}
}

func TestUnknownNumberMatched(t *testing.T) {
	recorder := httptest.NewRecorder()
	scriptedHandler(t, scripted{failAfter: -1}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/ogc/collections/towns/items", nil))
	var page featurePage
	if err := json.Unmarshal(recorder.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	next, ok := find(page.Links, "next")
	if page.NumberMatched != nil || !ok || !strings.HasSuffix(next.Href, "offset=10") || recorder.Header().Get("ETag") != "" {
		t.Errorf("matched %v, next %+v, ETag %s", page.NumberMatched, next, recorder.Header().Get("ETag"))
	}
}

// discarding is a client that keeps nothing.
type discarding struct{ header http.Header }

func (d discarding) Header() http.Header         { return d.header }
func (d discarding) WriteHeader(int)             {}
func (d discarding) Write(p []byte) (int, error) { return len(p), nil }

// What a response costs does not grow with limit: 10,000 features of 450 bytes take no more memory than ten.
func TestMemoryDoesNotGrowWithLimit(t *testing.T) {
	h := scriptedHandler(t, scripted{failAfter: -1})
	for _, encoding := range []string{"identity", "gzip"} {
		cost := func(limit int) uint64 {
			request := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/ogc/collections/towns/items?limit=%d", limit), nil)
			request.Header.Set("Accept-Encoding", encoding)
			h.ServeHTTP(discarding{http.Header{}}, request)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 5 {
				h.ServeHTTP(discarding{http.Header{}}, request)
			}
			runtime.ReadMemStats(&after)
			return (after.TotalAlloc - before.TotalAlloc) / 5
		}
		few, many := cost(10), cost(10_000)
		// The race detector makes pools forget at random: allow for one set of buffers.
		if many > few+2<<20 {
			t.Errorf("%s: %d bytes for 10 features, %d for 10,000", encoding, few, many)
		}
	}
}

// Whoever asks under ever new names does not fill the memory.
func TestKeptPagesAreBounded(t *testing.T) {
	b := townBench(t, nil)
	for n := range 3 * maxPages {
		request := httptest.NewRequest(http.MethodGet, "/ogc/collections", nil)
		request.Host = fmt.Sprintf("host%d.example", n)
		recorder := httptest.NewRecorder()
		b.handler.ServeHTTP(recorder, request)
		if !strings.Contains(recorder.Body.String(), "http://"+request.Host+"/ogc/collections/towns") {
			t.Fatalf("links of another host for %s", request.Host)
		}
	}
	kept, _ := b.handler.editions.Load("production")
	e := kept.(*edition)
	if len(e.pages) > maxPages || e.bytes > maxPageBytes {
		t.Errorf("%d pages, %d bytes", len(e.pages), e.bytes)
	}
}

func BenchmarkHandler(b *testing.B) {
	node := townBench(b, func(c *Config) { c.Observe = nil })
	for name, path := range map[string]string{
		"collections": "/ogc/collections", "items10": "/ogc/collections/towns/items", "items100": "/ogc/collections/towns/items?limit=100",
		"item": "/ogc/collections/towns/items/7",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(loop *testing.PB) {
				request := httptest.NewRequest(http.MethodGet, path, nil)
				for loop.Next() {
					node.handler.ServeHTTP(discarding{http.Header{}}, request)
				}
			})
		})
	}
}

// BenchmarkServer includes TCP, HTTP and a client that reads everything, on the same cores.
func BenchmarkServer(b *testing.B) {
	node := townBench(b, func(c *Config) { c.Observe = nil })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}}
	for name, path := range map[string]string{"collections": "/ogc/collections", "items10": "/ogc/collections/towns/items"} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(4)
			b.RunParallel(func(loop *testing.PB) {
				for loop.Next() {
					got, err := client.Get(node.server.URL + path)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, got.Body)
					_ = got.Body.Close()
				}
			})
		})
	}
	client.CloseIdleConnections()
}
