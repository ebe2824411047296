package cluster

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
)

// However many connections one host opens and says nothing on, a peer on
// another host gets in: the handshakes of each host are bounded.
func TestOneStrangerKeepsNoPeerOut(t *testing.T) {
	ca := newAuthority(t)
	identity := ca.identityOf("server.tcp.honua")
	node := tcpCluster(t, 1, func(c *Config) { c.TLS = identity })[0]
	stranger := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 7)}}
	for range 4 * waitingHandshakes {
		conn, err := stranger.DialContext(t.Context(), "tcp", node.cfg.RaftAdvertise)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	ctx, cancel := context.WithTimeout(t.Context(), handshakeTimeout)
	defer cancel()
	peer := tls.Dialer{Config: identity.ClientConfig("server.tcp.honua")}
	conn, err := peer.DialContext(ctx, "tcp", node.cfg.RaftAdvertise)
	if err != nil {
		t.Fatalf("a peer is kept out: %v", err)
	}
	conn.Close()
}

// A connection of an admitted peer counts no longer once its handshake is over.
func TestHandshakesAreCountedWhileTheyLast(t *testing.T) {
	s := &streamLayer{tls: testTLS{}, waiting: map[string]int{}}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	for range waitingPerHost {
		if !s.begin(a) {
			t.Fatal("refused within the bound")
		}
	}
	if s.begin(a) {
		t.Error("one more than the bound is let in")
	}
	s.ended(a)
	if !s.begin(a) {
		t.Error("there is room again")
	}
}
