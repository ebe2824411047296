package ogc

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestBadParameters(t *testing.T) {
	b := townBench(t, nil)
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=1.5", "limit=ten", "limit=", "limit=+5", "limit=1&limit=2", "limit=0x10",
		"offset=-1", "offset=x", "offset=",
		"bbox=", "bbox=1,2,3", "bbox=1,2,3,4,5", "bbox=1,2,3,4,5,6,7", "bbox=a,b,c,d", "bbox=1,2,3,NaN", "bbox=1,2,3,Inf",
		"bbox=1,5,2,4", "bbox=1,2,9,3,4,8", "bbox=1,2,3,1e999", "bbox=1%202%203%204",
		"datetime=", "datetime=yesterday", "datetime=2000-13-01", "datetime=2000-01-02/2000-01-01", "datetime=../..", "datetime=/",
		"datetime=2000-01-01/2000-01-02/2000-01-03", "datetime=2000-01-01T00:00:00", "datetime=../x",
		"size=x", "size=1.5", "size=", "share=x", "share=NaN", "port=yes", "port=1", "founded=2000", "uid=1", "extra=1",
		"Name=x", "name'--=1", "bbox-crs=x", "crs=x", "name=%00", "name=%FF", "f=html", "f=", "size=1%3BDROP%20TABLE%20towns",
	} {
		got := b.get("/ogc/collections/towns/items?" + query)
		var problem problemDocument
		if err := json.Unmarshal(got.body, &problem); err != nil || got.StatusCode != http.StatusBadRequest ||
			problem.Status != http.StatusBadRequest || problem.Detail == "" || problem.Code == "" ||
			got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s", query, got.Status, got.body)
		}
	}
}

func TestNotFound(t *testing.T) {
	b := townBench(t, nil)
	for _, path := range []string{
		"/", "/ogcx", "/ogc/x", "/ogc/collections/", "/ogc/collections/nothing", "/ogc/collections/Towns", "/ogc/collections/towns/x",
		"/ogc/collections/towns/items/", "/ogc/collections/towns/items/1/x", "/ogc/collections/nothing::towns",
		"/ogc/collections/..%2F..%2Fetc", "/ogc/collections/towns'--/items", "/ogc/collections//items",
		"/environments", "/environments/production", "/environments/unknown/ogc", "/environments/production/ogcx",
	} {
		if got := b.get(path); got.StatusCode != http.StatusNotFound || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", path, got.Status)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.observed {
		if o.Status != http.StatusNotFound || o.Environment == "unknown" || o.Collection == "nothing" {
			t.Errorf("observed %+v", o)
		}
	}
}

func TestNegotiation(t *testing.T) {
	b := townBench(t, nil)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct{ path, accept, want string }{
		{"/ogc", "", typeJSON},
		{"/ogc", browser, typeJSON},
		{"/ogc", "text/html", ""},
		{"/ogc", "application/json;q=0", ""},
		{"/ogc/api", "*/*", typeOpenAPI},
		{"/ogc/api", typeOpenAPI, typeOpenAPI},
		{"/ogc/api", typeJSON, typeJSON},
		{"/ogc/collections/towns/items", browser, typeGeoJSON},
		{"/ogc/collections/towns/items", "APPLICATION/GEO+JSON", typeGeoJSON},
		{"/ogc/collections/towns/items", "application/*", typeGeoJSON},
		{"/ogc/collections/towns/items", typeJSON, typeJSON},
		{"/ogc/collections/towns/items", "application/geo+json;q=0.5, application/json", typeJSON},
		{"/ogc/collections/towns/items", "application/geo+json;q=x", ""},
		{"/ogc/collections/towns/items?f=json", "text/html", typeJSON},
		{"/ogc/collections/towns/items?f=geojson", typeJSON, typeGeoJSON},
		{"/ogc/collections/towns/items/1", typeJSON, typeJSON},
		{"/ogc/collections/towns/items/1", "image/png", ""},
	} {
		got := b.get(test.path, "Accept", test.accept)
		if test.want == "" {
			if got.StatusCode != http.StatusNotAcceptable {
				t.Errorf("%s %q: %s", test.path, test.accept, got.Status)
			}
			continue
		}
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != test.want || !strings.Contains(got.Header.Get("Vary"), "Accept") {
			t.Errorf("%s %q: %s %s", test.path, test.accept, got.Status, got.Header.Get("Content-Type"))
		}
	}
}

func TestGzip(t *testing.T) {
	b := townBench(t, nil)
	for _, path := range []string{"/ogc/collections", "/ogc/api", "/ogc/collections/towns/items", "/ogc/collections/towns/items?limit=100"} {
		plain := b.get(path, "Accept-Encoding", "gzip;q=0, br")
		packed := b.get(path, "Accept-Encoding", "br, gzip")
		if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %q, %q", path, plain.Header.Get("Content-Encoding"), packed.Header.Get("Content-Encoding"))
		}
		reader, err := gzip.NewReader(bytes.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(unpacked, plain.body) || len(packed.body) >= len(plain.body) {
			t.Errorf("%s: %v, %d of %d bytes", path, err, len(packed.body), len(plain.body))
		}
	}
	if small := b.get("/ogc/conformance", "Accept-Encoding", "gzip"); small.Header.Get("Content-Encoding") != "" {
		t.Error("a small response is compressed")
	}
}

func TestConditionalRequests(t *testing.T) {
	b := townBench(t, nil)
	seen := map[string]string{}
	for _, path := range []string{
		"/ogc", "/ogc/collections", "/ogc/collections/towns", "/ogc/collections/towns/items", "/ogc/collections/towns/items?limit=5",
		"/ogc/collections/towns/items?f=json", "/ogc/collections/towns/items/1",
	} {
		etag := b.get(path).Header.Get("ETag")
		if other, dup := seen[etag]; dup || etag == "" {
			t.Errorf("%s: ETag %s, as %s", path, etag, other)
		}
		seen[etag] = path
		for _, match := range []string{etag, "*", `"x", ` + etag, strings.TrimPrefix(etag, "W/")} {
			if got := b.get(path, "If-None-Match", match); got.StatusCode != http.StatusNotModified || len(got.body) != 0 {
				t.Errorf("%s, If-None-Match %s: %s", path, match, got.Status)
			}
		}
		if got := b.get(path, "If-None-Match", `"x"`); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, got.Status)
		}
	}
	const items = "/ogc/collections/towns/items"
	before := b.get(items).Header.Get("ETag")
	b.activate("digest-2", townModel())
	if after := b.get(items).Header.Get("ETag"); after == before {
		t.Error("another digest has the same ETag")
	}
}

func TestForwarded(t *testing.T) {
	headers := []string{"X-Forwarded-Proto", "https, http", "X-Forwarded-Host", "maps.example.org"}
	self := func(b *bench, headers ...string) string {
		l, _ := find(decode[landing](t, b.get("/ogc", headers...)).Links, "self")
		return l.Href
	}
	plain := townBench(t, nil)
	if got := self(plain, headers...); got != plain.server.URL+"/ogc" {
		t.Errorf("an untrusted header made %s", got)
	}
	trusting := townBench(t, func(c *Config) { c.TrustForwarded = true })
	if got := self(trusting, headers...); got != "https://maps.example.org/ogc" {
		t.Errorf("self = %s", got)
	}
	if got := self(trusting, "X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "evil\"><script>"); got != trusting.server.URL+"/ogc" {
		t.Errorf("self = %s", got)
	}
	if got := self(trusting); got != trusting.server.URL+"/ogc" {
		t.Errorf("self = %s", got)
	}
}

func TestEnvironmentsHaveTheirOwnLinks(t *testing.T) {
	b := townBench(t, nil)
	base := b.server.URL + "/environments/production/ogc"
	for _, c := range decode[collections](t, b.get("/environments/production/ogc/collections")).Collections {
		for _, l := range c.Links {
			if !strings.HasPrefix(l.Href, base+"/collections/") {
				t.Errorf("%s: %s", c.ID, l.Href)
			}
		}
	}
}

// I14: a node serves on; what cannot be served says so and when to come back.
func TestUnavailable(t *testing.T) {
	b := newBench(t, nil)
	b.stale = "no leader\r\nX: y"
	for _, path := range []string{"/ogc", "/environments/staging/ogc", "/ogc/collections/towns/items"} {
		got := b.get(path)
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "2" ||
			got.Header.Get("Honua-Stale") == "" || got.Header.Get("X") != "" {
			t.Errorf("%s: %s %v", path, got.Status, got.Header)
		}
	}
	b.activate("digest-1", townModel())
	if got := b.get("/ogc/collections"); got.StatusCode != http.StatusOK || got.Header.Get("Honua-Digest") != "digest-1" ||
		got.Header.Get("Honua-Stale") != "no leader  X: y" {
		t.Errorf("%s %v", got.Status, got.Header)
	}
	for _, path := range []string{"/ogc/collections/gone/items", "/ogc/collections/gone/items/1", "/ogc/collections/gone/items?bbox=1,2,3,4"} {
		got := b.get(path)
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" ||
			strings.Contains(string(got.body), b.directory) || strings.Contains(string(got.body), "gone.geojson") {
			t.Errorf("%s: %s %s", path, got.Status, got.body)
		}
	}
	b.write("gone.geojson", towns(3, "back"))
	if page := decode[featurePage](t, b.get("/ogc/collections/gone/items")); len(page.Features) != 3 {
		t.Error("the source has not recovered")
	}
}

func TestCORSAndCaching(t *testing.T) {
	b := townBench(t, nil)
	if got := b.get("/ogc", "Origin", "https://a.example"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS without being enabled")
	}
	model := townModel()
	model.Settings.Cors.Enabled = true
	model.Settings.Cors.AllowedOrigins = []string{"https://a.example"}
	model.Settings.ResponseCaching.Enabled = true
	model.Settings.ResponseCaching.MaxAge = time.Hour
	b.activate("digest-2", model)
	got := b.get("/ogc/collections/towns/items", "Origin", "https://a.example")
	if got.Header.Get("Access-Control-Allow-Origin") != "https://a.example" || !strings.Contains(got.Header.Get("Vary"), "Origin") ||
		got.Header.Get("Cache-Control") != "private, max-age=3600" {
		t.Errorf("%v", got.Header)
	}
	if got := b.get("/ogc", "Origin", "https://b.example"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin may read")
	}
	got = b.do(http.MethodOptions, "/ogc", "Origin", "https://a.example", "Access-Control-Request-Method", "GET")
	if got.StatusCode != http.StatusNoContent || got.Header.Get("Access-Control-Max-Age") != "600" {
		t.Errorf("preflight: %s %v", got.Status, got.Header)
	}
	model = townModel()
	model.Settings.Cors.Enabled = true
	model.Settings.Cors.AllowedOrigins = []string{"*"}
	model.Settings.Ogc.MaxLimit = 3
	b.activate("digest-3", model)
	if got := b.get("/ogc", "Origin", "https://b.example"); got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", got.Header)
	}
	if page := decode[featurePage](t, b.get("/ogc/collections/towns/items?limit=9")); len(page.Features) != 3 {
		t.Error("the environment's limit does not hold")
	}
}

func TestObservations(t *testing.T) {
	b := townBench(t, nil)
	for _, path := range []string{"/ogc", "/ogc/api", "/ogc/conformance", "/ogc/collections", "/ogc/collections/towns",
		"/ogc/collections/gis-service::towns/items", "/ogc/collections/towns/items/1"} {
		b.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	want := []string{"landing", "api", "conformance", "collections", "collection", "items", "item"}
	for i, o := range b.observed {
		if o.Route != want[i] || o.Environment != "production" || o.Status != http.StatusOK || o.Method != http.MethodGet || o.Duration <= 0 {
			t.Errorf("%+v, want %s", o, want[i])
		}
		if (o.Collection == "towns") != (i >= 4) {
			t.Errorf("%+v", o)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	if _, err := New(Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("err = %v", err)
	}
}
