package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// One connection reads answers with a length, in chunks and empty ones, one after another, and knows a bad one.
func TestWire(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chunks":
			for range 40 {
				_, _ = w.Write([]byte(strings.Repeat("x", 5000)))
				w.(http.Flusher).Flush()
			}
		case "/length":
			_, _ = w.Write([]byte("short"))
		case "/bad":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	connection, err := dialWire(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.close()
	for _, path := range []string{"/length", "/chunks", "/empty", "/chunks", "/length"} {
		if err := connection.get(path); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if err := connection.get("/bad"); !errors.Is(err, errAnswer) {
		t.Errorf("err = %v", err)
	}
}
