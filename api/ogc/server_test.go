package ogc

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/geojson"
	"github.com/honua-io/honua-gitops/reconciler/registry/geopackage"
)

// bench is a node's serving half: a registry over files, a handler, a server.
type bench struct {
	t         testing.TB
	directory string
	drivers   map[string]registry.Driver // a test may add to them
	registry  *registry.Registry
	handler   *Handler
	server    *httptest.Server

	mu       sync.Mutex
	observed []Observation
	stale    string
}

func newBench(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, directory: t.TempDir()}
	logger := slog.New(slog.DiscardHandler)
	driver, err := geojson.New(geojson.Config{DataDirectory: b.directory, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	packages, err := geopackage.New(geopackage.Config{DataDirectory: b.directory, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	b.drivers = map[string]registry.Driver{"GeoJSON": driver, "GeoPackage": packages}
	b.registry, err = registry.New(registry.Config{
		Drivers: b.drivers, Logger: logger,
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, RetryInterval: time.Nanosecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	config := Config{
		Registry: b.registry, Environments: []string{"production", "staging"}, Logger: logger,
		Now:     func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
		Stale:   func(string) string { return b.stale },
		Observe: func(o Observation) { b.mu.Lock(); defer b.mu.Unlock(); b.observed = append(b.observed, o) },
	}
	if change != nil {
		change(&config)
	}
	handler, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = handler
	b.server = httptest.NewServer(handler)
	t.Cleanup(b.server.Close)
	return b
}

func (b *bench) write(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.directory, name), []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// activate serves a model, built without live checks, under a digest.
func (b *bench) activate(digest string, model *catalog.Model) {
	b.t.Helper()
	c, problems := b.registry.Build(b.t.Context(), registry.BuildInput{Environment: "production", Digest: digest, Model: model})
	if c == nil {
		b.t.Fatalf("Build: %v", problems)
	}
	b.registry.Swap("production", c)
}

// response is an answer, read whole.
type response struct {
	*http.Response
	body []byte
}

func (b *bench) do(method, path string, headers ...string) response {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	// Without the transport's own gzip, so that the tests see what is sent.
	got, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}).Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response{got, body}
}

func (b *bench) get(path string, headers ...string) response {
	b.t.Helper()
	return b.do(http.MethodGet, path, headers...)
}

// decode reads a good answer.
func decode[T any](t testing.TB, r response) T {
	t.Helper()
	var into T
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%s", r.Request.URL, r.Status, r.body)
	}
	if err := json.Unmarshal(r.body, &into); err != nil {
		t.Fatalf("%s: %v\n%s", r.Request.URL, err, r.body)
	}
	return into
}

// featurePage is a FeatureCollection as clients read it.
type featurePage struct {
	Type     string `json:"type"`
	Features []struct {
		Type       string          `json:"type"`
		ID         json.RawMessage `json:"id"`
		Geometry   json.RawMessage `json:"geometry"`
		Properties map[string]any  `json:"properties"`
		Links      []link          `json:"links"`
	} `json:"features"`
	Links          []link `json:"links"`
	NumberMatched  *int   `json:"numberMatched"`
	NumberReturned *int   `json:"numberReturned"`
	TimeStamp      string `json:"timeStamp"`
}

func (p featurePage) ids() string {
	var ids []string
	for _, f := range p.Features {
		ids = append(ids, string(f.ID))
	}
	return strings.Join(ids, " ")
}

func find(links []link, rel string) (link, bool) {
	for _, l := range links {
		if l.Rel == rel {
			return l, true
		}
	}
	return link{}, false
}

// towns is n points on the equator, a degree apart, a day apart.
func towns(n int, mark string) string {
	var s strings.Builder
	s.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range n {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"type":"Feature","id":%d,"geometry":{"type":"Point","coordinates":[%d,0]},"properties":{"name":"town %d","mark":%q,"size":%d,"share":%d.5,"port":%t,"founded":"%s","uid":"00000000-0000-0000-0000-%012d","extra":{"a":1}}}`,
			i+1, i%360-180, i, mark, i*10, i, i%2 == 0, time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), i)
	}
	return s.String() + "]}"
}

func townModel() *catalog.Model {
	return &catalog.Model{
		Environment: "production", Settings: catalog.DefaultSettings(),
		DataSources: []catalog.DataSource{
			{ID: "towns", Type: "GeoJSON", ConnectionString: "towns.geojson"},
			{ID: "gone", Type: "GeoJSON", ConnectionString: "gone.geojson"},
		},
		Services: []catalog.Service{{ID: "gis-service", Layers: []catalog.Layer{
			{
				ID: "towns", Title: "Towns", Description: "All of them", DataSource: "towns", Service: "gis-service",
				GeometryType: "Point", SRID: 4326, BBox: []float64{-180, -90, 180, 90},
				Properties: []catalog.Property{
					{Name: "name", Type: "string"}, {Name: "mark", Type: "string"}, {Name: "size", Type: "integer"},
					{Name: "share", Type: "number"}, {Name: "port", Type: "boolean"}, {Name: "founded", Type: "date"},
					{Name: "uid", Type: "uuid"}, {Name: "extra", Type: "json"},
				},
			},
			{ID: "odd id/ä", DataSource: "towns", Service: "gis-service", IDColumn: "name"},
			{ID: "gone", DataSource: "gone", Service: "gis-service"},
		}}},
	}
}

func townBench(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := newBench(t, change)
	b.write("towns.geojson", towns(100, "a"))
	b.activate("digest-1", townModel())
	return b
}
