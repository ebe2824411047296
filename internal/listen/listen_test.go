package listen

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
)

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// rig accepts on loopback and hands out what it accepted.
type rig struct {
	t        *testing.T
	address  string
	accepted chan net.Conn
	log      *lockedBuffer
}

func newRig(t *testing.T, c Config) *rig {
	t.Helper()
	r := &rig{t: t, accepted: make(chan net.Conn, 100), log: &lockedBuffer{}}
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	bounded, err := New(inner, c)
	if err != nil {
		t.Fatal(err)
	}
	r.address = inner.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := bounded.Accept()
			if err != nil {
				return
			}
			r.accepted <- conn
		}
	}()
	t.Cleanup(func() { bounded.Close(); <-done })
	return r
}

func (r *rig) dial(from string) net.Conn {
	r.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(r.t.Context(), "tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

// refused waits for the other end to close.
func (r *rig) refused(conn net.Conn) {
	r.t.Helper()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		r.t.Fatal("it is served")
	} else if !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		r.t.Fatal(err)
	}
}

// One host gets its share and no more; what it closes it may open again.
func TestOneHostCannotTakeAll(t *testing.T) {
	r := newRig(t, Config{Total: 10, PerHost: 2})
	r.dial("127.0.0.1")
	first := <-r.accepted
	r.dial("127.0.0.1")
	<-r.accepted
	r.refused(r.dial("127.0.0.1"))
	r.dial("127.0.0.2")
	<-r.accepted
	if err := errors.Join(first.Close(), first.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	r.dial("127.0.0.1")
	<-r.accepted
	r.refused(r.dial("127.0.0.1"))
	if !strings.Contains(r.log.String(), "too many connections") || !strings.Contains(r.log.String(), "from_it=2") {
		t.Errorf("log: %s", r.log)
	}
}

func TestAllHostsTogether(t *testing.T) {
	r := newRig(t, Config{Total: 3, PerHost: 2})
	for _, host := range []string{"127.0.0.1", "127.0.0.1", "127.0.0.2"} {
		r.dial(host)
		<-r.accepted
	}
	r.refused(r.dial("127.0.0.3"))
}

func TestBoundsArePositive(t *testing.T) {
	for _, c := range []Config{{}, {Total: 1}, {PerHost: 1}} {
		if _, err := New(nil, c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
