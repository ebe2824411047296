package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRoutes(t *testing.T) {
	features := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ogc/panic" {
			panic("no such layer")
		}
		_, _ = io.WriteString(w, "features")
	})
	node, _ := serving(t)
	server, _ := newTestServer(t, node, after(0), func(c *Config) { c.Features = features })
	tests := []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/ogc", 200, "features"},
		{"GET", "/ogc/collections", 200, "features"},
		{"POST", "/ogc/collections", 200, "features"}, // the handler's own to refuse
		{"GET", "/environments/production/ogc", 200, "features"},
		{"GET", "/metrics", 200, "honua_build_info"},
		{"HEAD", "/health/ready", 200, ""},
		{"POST", "/health/ready", 405, "read only"},
		{"DELETE", "/metrics", 405, "read only"},
		{"GET", "/", 404, "landing page"},
		{"GET", "/health", 404, "landing page"},
		{"GET", "/ogcx", 404, "landing page"},
		{"GET", "/ogc/panic", 500, "its log says why"},
	}
	for _, tt := range tests {
		answer := request(server, tt.method, tt.path)
		if answer.Code != tt.code || !strings.Contains(answer.Body.String(), tt.body) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, answer.Code, answer.Body)
		}
		if tt.code < 400 {
			continue
		}
		var p problem
		if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || p.Status != tt.code || answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %v, %+v, %v", tt.method, tt.path, err, p, answer.Header())
		}
	}
}

func TestAnAbortedAnswerStaysAborted(t *testing.T) {
	node, _ := serving(t)
	abort := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server, _ := newTestServer(t, node, after(0), func(c *Config) { c.Features = abort })
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
	}()
	request(server, "GET", "/ogc")
}

func TestMetricsOnTheirOwnListener(t *testing.T) {
	node, _ := serving(t)
	server, _ := newTestServer(t, node, after(0), func(c *Config) { c.SeparateMetrics = true })
	if answer := request(server, "GET", "/metrics"); answer.Code != 404 {
		t.Errorf("the main port answers %d", answer.Code)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeMetrics(listener) }()
	for path, code := range map[string]int{"/metrics": 200, "/health/live": 404} {
		answer, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != code {
			t.Errorf("%s: %d, %v", path, answer.StatusCode, err)
		}
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A request that does not end is cut off when the time to stop is over.
func TestShutdownIsBounded(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(entered); <-release })
	node, _ := serving(t)
	server, _ := newTestServer(t, node, after(0), func(c *Config) { c.Features = slow })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	answered := make(chan error, 1)
	go func() {
		answer, err := http.Get("http://" + listener.Addr().String() + "/ogc")
		if err == nil {
			err = answer.Body.Close()
		}
		answered <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-answered; err == nil {
		t.Error("the request was answered")
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
	if _, err := NewMetrics(MetricsConfig{}); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
}
