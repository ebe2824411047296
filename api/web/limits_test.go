package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// listening runs a server on loopback until the test ends, with its limits altered.
func listening(t *testing.T, alter func(*http.Server)) string {
	t.Helper()
	node, _ := serving(t)
	server, _ := newTestServer(t, node, after(0))
	if alter != nil {
		alter(server.main)
	}
	return listen(t, server)
}

// listen runs a server on loopback until the test ends.
func listen(t *testing.T, server *Server) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.main.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// say sends a text over a connection of its own and returns the status of the answer; 0 if the server closes without one.
func say(t *testing.T, address, text string) int {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// The limits are those that docs/security.md names.
func TestLimits(t *testing.T) {
	node, _ := serving(t)
	server, _ := newTestServer(t, node, after(0))
	got := fmt.Sprint(server.main.ReadHeaderTimeout, server.main.ReadTimeout, server.main.WriteTimeout, server.main.IdleTimeout, server.main.MaxHeaderBytes, server.limit)
	if want := "10s 30s 5m0s 2m0s 32768 4096"; got != want {
		t.Errorf("limits are %s, want %s", got, want)
	}
}

// Headers of the size that is allowed are read; beyond it, and net/http's own 4 KiB of slack, the answer is 431.
func TestHeaderBytes(t *testing.T) {
	address := listening(t, nil)
	const head, tail = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Padding: ", "\r\n\r\n"
	for size, want := range map[int]int{maxHeaderBytes: 200, maxHeaderBytes + 8<<10: http.StatusRequestHeaderFieldsTooLarge} {
		if got := say(t, address, head+strings.Repeat("x", size-len(head)-len(tail))+tail); got != want {
			t.Errorf("%d bytes: %d, want %d", size, got, want)
		}
	}
}

// A header or a body that does not come is not waited for; connections that are only kept are closed.
func TestSlowClientsAreCutOff(t *testing.T) {
	const soon = 50 * time.Millisecond
	for name, test := range map[string]struct {
		alter func(*http.Server)
		text  string
		code  int
	}{
		"header": {func(s *http.Server) { s.ReadHeaderTimeout = soon }, "GET /health/live HTTP/1.1\r\nHo", http.StatusBadRequest},
		"body": {func(s *http.Server) { s.ReadTimeout = soon },
			"POST /webhooks/git HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", http.StatusNotFound}, // answered, and not kept waiting for the rest
		"nothing": {func(s *http.Server) { s.ReadHeaderTimeout = soon }, "", 0},
	} {
		if got := say(t, listening(t, test.alter), test.text); got != test.code {
			t.Errorf("%s: %d, want %d", name, got, test.code)
		}
	}
	address := listening(t, func(s *http.Server) { s.IdleTimeout = soon })
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 200") {
		t.Errorf("an idle connection is not closed in order: %v %s", err, all)
	}
}

// An answer that its client does not read is cut off, however much of it is left; others are answered meanwhile.
func TestAnswersThatNobodyReadsAreCutOff(t *testing.T) {
	node, _ := serving(t)
	blocked := make(chan error, 1)
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		page := make([]byte, 1<<20)
		for {
			if _, err := w.Write(page); err != nil {
				blocked <- err
				return
			}
		}
	})
	server, _ := newTestServer(t, node, after(0), func(c *Config) { c.WriteTimeout, c.Features = 300*time.Millisecond, endless })
	address := listen(t, server)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /ogc HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := say(t, address, "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); got != http.StatusOK {
		t.Errorf("another client: %d", got)
	}
	if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing ended with %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, conn); n == 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after %d bytes the connection is still open: %v", n, err)
	}
}
