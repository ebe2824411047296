package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// authority signs certificates for tests.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, pool: x509.NewCertPool()}
	a.key, a.cert = a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) issue(c, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert
}

// identityOf makes what a holder of a certificate with a name uses.
func (a *authority) identityOf(name string) testTLS {
	key, cert := a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, a.key)
	return testTLS{tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}, a.pool}
}

type testTLS struct {
	cert tls.Certificate
	pool *x509.CertPool
}

func (c testTLS) ServerConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: c.pool, NextProtos: []string{"h2"}}
}

func (c testTLS) ClientConfig(name string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.cert}, RootCAs: c.pool, ServerName: name, NextProtos: []string{"h2"}}
}

// tcpCluster runs nodes over loopback until the test ends.
func tcpCluster(t testing.TB, n int, change ...func(*Config)) []*Node {
	t.Helper()
	dir := t.TempDir() // before the cleanup below: it is removed after it
	ports, release := freePorts(t, 3*n)
	var seeds []string
	for i := range n {
		seeds = append(seeds, ports[3*i+2])
	}
	release()
	nodes := make([]*Node, n)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for i := range n {
		cfg := Config{
			NodeID: fmt.Sprintf("node%d", i+1), ClusterName: "tcp", DataDirectory: filepath.Join(dir, ports[3*i]),
			RaftBind: ports[3*i+1], RaftAdvertise: ports[3*i+1], GossipBind: ports[3*i+2], GossipAdvertise: ports[3*i+2],
			GRPCAdvertise: ports[3*i], BootstrapExpect: n, Join: seeds, Voter: true, Version: "1",
			InitialSettings: initialSettings, Logger: slog.New(slog.DiscardHandler), Exit: func(err error) { t.Error(err) },
		}
		if n == 1 {
			cfg.Join = nil
		}
		for _, f := range change {
			f(&cfg)
		}
		nodes[i] = runTCP(t, ctx, &running, cfg)
	}
	for _, node := range nodes {
		await(t, 30*time.Second, node.NodeID()+" catches up", func() bool { return node.Status().CaughtUp })
	}
	return nodes
}

func runTCP(t testing.TB, ctx context.Context, running *sync.WaitGroup, cfg Config) *Node { //nolint:revive // a test is named first
	t.Helper()
	node, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", cfg.GRPCAdvertise)
	if err != nil {
		t.Fatal(err)
	}
	options := []grpc.ServerOption{grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second})}
	if cfg.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(cfg.TLS.ServerConfig())))
	}
	server := grpc.NewServer(options...)
	node.RegisterPeerService(server)
	running.Go(func() { _ = server.Serve(listener) })
	running.Go(func() {
		if err := node.Run(ctx); err != nil {
			t.Errorf("%s: %v", cfg.NodeID, err)
		}
		server.Stop()
	})
	return node
}

// freePorts finds loopback addresses that nobody uses.
func freePorts(t testing.TB, n int) ([]string, func()) {
	t.Helper()
	var addresses []string
	var held []net.Listener
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, l)
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, func() {
		for _, l := range held {
			_ = l.Close()
		}
	}
}

// await polls until something holds; outside of bubbles there is no other way.
func await(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(limit)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

func TestClusterOverTCP(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"plain": func(*Config) {},
		"mutual TLS and encrypted gossip": func() func(*Config) {
			ca := newAuthority(t)
			return func(c *Config) {
				c.TLS, c.GossipKey = ca.identityOf("server.tcp.honua"), make([]byte, 32)
			}
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			nodes := tcpCluster(t, 3, change)
			for i, node := range nodes {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				result, err := node.Propose(ctx, poll(fmt.Sprintf("request-%d", i)))
				if err = errors.Join(err, result.Err()); err != nil {
					t.Fatal(err)
				}
				state, err := nodes[(i+1)%3].Linearize(ctx)
				if err != nil || state.Index() < result.Index {
					t.Fatalf("I8: %v", err)
				}
				cancel()
			}
			await(t, 10*time.Second, "the members find each other", func() bool { return nodes[0].Stats().MembersAlive == 3 })
		})
	}
}

func TestOnlyNodesAreLetIn(t *testing.T) {
	ca, foreign := newAuthority(t), newAuthority(t)
	node := tcpCluster(t, 1, func(c *Config) { c.TLS = ca.identityOf("server.tcp.honua") })[0]
	for _, test := range []struct {
		name   string
		client testTLS
		raft   bool
		code   codes.Code
	}{
		{"a node", ca.identityOf("server.tcp.honua"), true, codes.OK},
		{"a client of the same authority", ca.identityOf("operator"), false, codes.PermissionDenied},
		{"a node of another cluster", ca.identityOf("server.other.honua"), false, codes.PermissionDenied},
		{"a node of another authority", func() testTLS {
			c := foreign.identityOf("server.tcp.honua")
			c.pool = ca.pool
			return c
		}(), false, codes.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := test.client.ClientConfig("server.tcp.honua")
			conn, err := grpc.NewClient("passthrough:///"+node.cfg.GRPCAdvertise, grpc.WithTransportCredentials(credentials.NewTLS(config)))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err = pb.NewPeerServiceClient(conn).GetPeerState(ctx, &pb.GetPeerStateRequest{ClusterName: "tcp"})
			if status.Code(err) != test.code {
				t.Errorf("gRPC: %v", err)
			}
			if open := raftAccepts(t, node.cfg.RaftAdvertise, config); open != test.raft {
				t.Errorf("raft lets it in: %v", open)
			}
		})
	}
}

// raftAccepts reports whether the other side keeps a connection after the
// handshake: in TLS 1.3 a client learns only then that it was refused.
func raftAccepts(t *testing.T, address string, config *tls.Config) bool {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestOldTLSIsRefused(t *testing.T) {
	ca := newAuthority(t)
	node := tcpCluster(t, 1, func(c *Config) { c.TLS = ca.identityOf("server.tcp.honua") })[0]
	config := ca.identityOf("server.tcp.honua").ClientConfig("server.tcp.honua")
	config.MaxVersion = tls.VersionTLS12
	if raftAccepts(t, node.cfg.RaftAdvertise, config) {
		t.Error("TLS 1.2 is accepted")
	}
}

// A stranger that connects and says nothing holds up nobody.
func TestSilentStrangerDelaysNobody(t *testing.T) {
	ca := newAuthority(t)
	node := tcpCluster(t, 1, func(c *Config) { c.TLS = ca.identityOf("server.tcp.honua") })[0]
	for range 2 * waitingHandshakes {
		conn, err := net.Dial("tcp", node.cfg.RaftAdvertise)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:revive // a handful, closed when the test ends
	}
	start := time.Now()
	if _, err := node.Propose(t.Context(), poll("meanwhile")); err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}
