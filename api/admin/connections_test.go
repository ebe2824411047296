package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/connectivity"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// onPort runs a server on loopback until the test ends.
func onPort(t *testing.T, alter func(*Config)) string {
	t.Helper()
	a := serve(t, alter)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		a.server.Drain(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// The limits are those that docs/security.md names.
func TestDefaultLimits(t *testing.T) {
	want := Limits{
		MaxMessageBytes: 4 << 20, MaxStreams: 1024, KeepaliveMin: 5 * time.Second, Handshake: 10 * time.Second,
		Call: 2 * time.Minute, Idle: time.Hour, MaxHeaderBytes: 16 << 10,
	}
	if got := (Limits{}).withDefaults(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Who connects and says nothing is not waited for.
func TestHandshakesEnd(t *testing.T) {
	address := onPort(t, func(c *Config) { c.Limits.Handshake = 50 * time.Millisecond })
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection ends with %v", err)
	}
}

// A connection without calls is closed after its time; one with a call is not.
func TestIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle = time.Minute
		a := serve(t, func(c *Config) { c.Limits.Idle = idle })
		ctx, cancel := context.WithCancel(t.Context())
		watch, err := a.environments.WatchEnvironments(ctx, &pb.WatchEnvironmentsRequest{})
		if err == nil {
			_, err = watch.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // grpc hands a call to a connection before it says that there is one
		bounded, stop := context.WithTimeout(t.Context(), 6*idle)
		defer stop()
		if a.conn.WaitForStateChange(bounded, connectivity.Ready) {
			t.Error("a connection with a watch is closed")
		}
		cancel()
		patient, stop := context.WithTimeout(t.Context(), 2*idle)
		defer stop()
		if !a.conn.WaitForStateChange(patient, connectivity.Ready) {
			t.Error("an idle connection is kept")
		}
	})
}

// Who pings more often than is allowed is sent away, and told why.
func TestPingsAreLimited(t *testing.T) {
	address := onPort(t, func(c *Config) { c.Limits.KeepaliveMin = time.Hour })
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	frames := http2.NewFramer(conn, conn)
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := frames.WritePing(false, [8]byte{byte(i)}); err != nil {
			break // it may have closed already
		}
	}
	for {
		frame, err := frames.ReadFrame()
		if err != nil {
			t.Fatalf("it ends without a word: %v", err)
		}
		if away, ok := frame.(*http2.GoAwayFrame); ok {
			if away.ErrCode != http2.ErrCodeEnhanceYourCalm || string(away.DebugData()) != "too_many_pings" {
				t.Errorf("%v %s", away.ErrCode, away.DebugData())
			}
			return
		}
	}
}
