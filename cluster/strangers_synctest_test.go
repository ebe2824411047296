package cluster

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/honua-io/honua-gitops/test/memnet"
)

// listenAlone opens the raft port of a node at 10.0.0.1 that nothing else runs of.
func listenAlone(t *testing.T, network *memnet.Network, identity testTLS, log *slog.Logger) *streamLayer {
	t.Helper()
	s, err := listenRaft(&Config{
		Network: network.Host("10.0.0.1"), RaftBind: ":7701", RaftAdvertise: memnet.Addr("10.0.0.1", 7701),
		ClusterName: "tcp", TLS: identity, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.vetted.Store(true)
	return s
}

func dialRaft(t *testing.T, network *memnet.Network, from string) net.Conn {
	t.Helper()
	conn, err := network.Host(from).Dial(t.Context(), memnet.Addr("10.0.0.1", 7701))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// Strangers that say nothing, or next to nothing, are closed when the time for a handshake is over, and leave no trace.
// A peer gets in meanwhile, without waiting for them.
func TestSilentStrangersAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		identity := newAuthority(t).identityOf("server.tcp.honua")
		network := memnet.New()
		var log bytes.Buffer
		s := listenAlone(t, network, identity, slog.New(slog.NewTextHandler(&log, nil)))
		began := time.Now()
		var closed sync.WaitGroup
		for i := range waitingPerHost {
			stranger := dialRaft(t, network, "10.0.0.9")
			closed.Go(func() { outlast(t, stranger, i%2 == 1, began) })
		}
		synctest.Wait()
		greet(t, s, tls.Client(dialRaft(t, network, "10.0.0.2"), identity.ClientConfig("server.tcp.honua")))
		if waited := time.Since(began); waited != 0 {
			t.Errorf("a peer waited for %v", waited)
		}
		closed.Wait()
		synctest.Wait()
		s.mu.Lock()
		if len(s.waiting) != 0 || len(s.conns) != 1 { // the peer's
			t.Errorf("handshakes under way: %v; %d connections are kept", s.waiting, len(s.conns))
		}
		s.mu.Unlock()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "raft connection refused"); n != waitingPerHost {
			t.Errorf("%d refusals are in the log", n)
		}
	})
}

// outlast reads until a stranger is closed, which says nothing at all, or a byte a second of what begins a handshake.
func outlast(t *testing.T, conn net.Conn, talks bool, began time.Time) {
	var talk sync.WaitGroup
	if talks {
		talk.Go(func() {
			for _, b := range append([]byte{0x16, 3, 1, 1, 0}, make([]byte, 256)...) {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
	}
	_, err := io.ReadAll(conn)
	if held := time.Since(began); held != handshakeTimeout {
		t.Errorf("a stranger (talks: %v) was held for %v: %v", talks, held, err)
	}
	conn.Close()
	talk.Wait()
}

// greet does a peer's half of a handshake, and takes its connection from the port.
func greet(t *testing.T, s *streamLayer, peer *tls.Conn) {
	t.Helper()
	if err := peer.HandshakeContext(t.Context()); err != nil {
		t.Fatalf("a peer is kept out: %v", err)
	}
	if _, err := s.Accept(); err != nil {
		t.Fatal(err)
	}
}
