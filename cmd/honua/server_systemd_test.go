package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// manager is what systemd is for a service: a socket that gets its notifications.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return conn
}

// hears waits for the next notification.
func hears(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	n, err := conn.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}

func TestSupervision(t *testing.T) {
	conn := manager(t)
	checks := make(chan string, 1)
	s := &supervision{
		notify: func(state string) (bool, error) { return daemon.SdNotify(false, state) },
		check:  func() string { return <-checks }, watchdog: 30 * time.Millisecond, logger: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.run(ctx) }()
	if got := hears(t, conn); got != "READY=1" {
		t.Errorf("first %q", got)
	}
	for range 2 {
		checks <- "serving\nproduction"
		if got := hears(t, conn); got != "WATCHDOG=1\nSTATUS=serving production" {
			t.Errorf("then %q", got)
		}
	}
	// A node that hangs answers no more, so the next thing that systemd hears is not a heartbeat.
	s.reload(ctx, func() {})
	if got := hears(t, conn); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("before a reload %q", got)
	}
	if got := hears(t, conn); got != "READY=1" {
		t.Errorf("after a reload %q", got)
	}
	cancel()
	if got := hears(t, conn); got != "STOPPING=1" {
		t.Errorf("last %q", got)
	}
	<-done
	close(checks)
}

// Without systemd there is nobody to tell, and nothing runs.
func TestNoSupervisionWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	s := &supervision{
		notify: func(state string) (bool, error) { return daemon.SdNotify(false, state) },
		check:  func() string { t.Error("asked"); return "" }, logger: slog.New(slog.DiscardHandler),
	}
	s.run(t.Context())
}
