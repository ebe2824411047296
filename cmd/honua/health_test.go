package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An authority that is exported for the gRPC port does not make a mystery of a node whose HTTP port has no TLS.
func TestHealthOfANodeWithoutTLS(t *testing.T) {
	status := http.StatusOK
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"status": "` + strings.TrimPrefix(r.URL.Path, "/health/") + `"}`))
	}))
	defer node.Close()
	address := strings.TrimPrefix(node.URL, "http://")
	_, err := getHealth(t.Context(), &tls.Config{MinVersion: tls.VersionTLS13}, address, "ready")
	if err == nil || !strings.Contains(err.Error(), "no TLS at "+address+": write --http-address http://"+address) {
		t.Errorf("the error says %v", err)
	}
	body, err := getHealth(t.Context(), &tls.Config{MinVersion: tls.VersionTLS13}, "http://"+address, "ready")
	if err != nil || body["status"] != "ready" {
		t.Errorf("%v, %v", body, err)
	}
	status = http.StatusServiceUnavailable
	if _, err := getHealth(t.Context(), nil, address, "live"); !errors.Is(err, errUnhealthy) {
		t.Errorf("of a node that is not well: %v", err)
	}
}

// What is wrong with the address is said, and what to write instead.
func TestHealthSaysHowToReachANode(t *testing.T) {
	node := httptest.NewTLSServer(http.NotFoundHandler())
	node.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer node.Close()
	address := strings.TrimPrefix(node.URL, "https://")
	for given, want := range map[string]string{
		address:       "has TLS: write --http-address https://" + address,
		"5001":        `--http-address "5001": write host:port`,
		"127.0.0.1:1": "is it running there?",
	} {
		if _, err := getHealth(t.Context(), nil, given, "ready"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error says %v, not %q", given, err, want)
		}
	}
}
