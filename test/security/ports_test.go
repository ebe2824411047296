package security

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// revocationBound is within how long a revoked token has to be refused by every node.
const revocationBound = 5 * time.Second

// forger signs certificates that `honua tls` does not: expired, of another authority.
type forger struct {
	cert *x509.Certificate
	key  any
}

func stolenAuthority(t *testing.T, c *harness.Cluster) forger {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(c.CAFile(), strings.TrimSuffix(c.CAFile(), ".pem")+".key")
	if err != nil {
		t.Fatal(err)
	}
	return forger{pair.Leaf, pair.PrivateKey}
}

func otherAuthority(t *testing.T) forger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return forger{&x509.Certificate{Subject: pkix.Name{CommonName: "another"}}, key}
}

// forge makes a certificate for a name, valid between two moments.
func (f forger) forge(t *testing.T, dns string, from, to time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), Subject: pkix.Name{CommonName: "mallory"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if dns != "" {
		template.DNSNames = []string{dns}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, f.cert, &key.PublicKey, f.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func load(t *testing.T, files harness.Credentials) *tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}

// port is one way into a node.
type port struct {
	name string
	// enter shows a certificate; nil shows none. Its error is the refusal.
	enter func(*tls.Certificate) error
	// logs is what the node says when it refuses; "" for a port that asks nobody for a certificate.
	logs string
}

func ports(t *testing.T, c *harness.Cluster, n *harness.Node) []port {
	role := "server." + harness.ClusterName + ".honua"
	config := func(cert *tls.Certificate, server string) *tls.Config {
		base := c.TLS(harness.Credentials{})
		base.ServerName = server
		if cert != nil {
			base.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
		}
		return base
	}
	return []port{
		{"raft", func(cert *tls.Certificate) error { return dial(t.Context(), n.Raft, config(cert, role)) }, "raft connection refused"},
		{"gRPC between nodes", func(cert *tls.Certificate) error {
			return call(t, n.GRPC, config(cert, role), func(ctx context.Context, conn *grpc.ClientConn) error {
				_, err := pb.NewPeerServiceClient(conn).GetPeerState(ctx, &pb.GetPeerStateRequest{NodeId: "x", ClusterName: harness.ClusterName})
				return err
			})
		}, "gRPC connection refused"},
		{"node's services for a client", func(cert *tls.Certificate) error {
			return call(t, n.GRPC, config(cert, "localhost"), func(ctx context.Context, conn *grpc.ClientConn) error {
				_, err := pb.NewNodeServiceClient(conn).GetNodeStatus(ctx, &pb.GetNodeStatusRequest{})
				return err
			})
		}, "call denied"},
		{"admin API", func(cert *tls.Certificate) error {
			return call(t, n.GRPC, config(cert, "localhost"), func(ctx context.Context, conn *grpc.ClientConn) error {
				_, err := pb.NewClusterServiceClient(conn).GetStatus(ctx, &pb.GetStatusRequest{})
				return err
			})
		}, "call denied"},
		{"HTTP", func(cert *tls.Certificate) error { return fetch(t.Context(), n.HTTP, config(cert, "localhost")) }, ""},
	}
}

// dial makes a handshake and sees whether the server stays: in TLS 1.3 a client learns of a refusal by reading.
func dial(ctx context.Context, address string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	var timeout net.Error
	if e, ok := err.(net.Error); ok {
		timeout = e
	}
	if timeout != nil && timeout.Timeout() {
		return nil // it waits for a command
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// fetch makes one request over HTTP.
func fetch(ctx context.Context, address string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/health/live", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func call(t *testing.T, address string, config *tls.Config, ask func(context.Context, *grpc.ClientConn) error) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return ask(ctx, conn)
}

// Certificates that are expired, not yet valid, of another authority, of another role, or not there, are refused on
// each port, and the node says so.
func TestCertificatesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Nodes: 1, Secure: true})
	node := c.Nodes[0]
	now, role := time.Now(), "server."+harness.ClusterName+".honua"
	stolen, other := stolenAuthority(t, c), otherAuthority(t)
	long := 24 * time.Hour
	admin := load(t, c.IssueClient("alice", "--role", "admin"))
	own := load(t, c.NodeFiles(node))
	const noRole, denied, unnamed = "does not have the role", "this needs the role", "only nodes of the cluster"
	tests := []struct {
		name string
		cert *tls.Certificate
		// admitted are the ports that let it in, beside HTTP, which asks nobody.
		admitted string
		// why are the reasons of which the refusal gives one.
		why []string
	}{
		{"expired", stolen.forge(t, role, now.Add(-long), now.Add(-time.Hour)), "", []string{"certificate has expired", "is after"}},
		{"not yet valid", stolen.forge(t, role, now.Add(time.Hour), now.Add(long)), "", []string{"is before"}},
		{"another authority", other.forge(t, role, now.Add(-time.Hour), now.Add(long)), "", []string{"unknown authority"}},
		{"a client without a role", load(t, c.IssueClient("bob")), "", []string{noRole, denied, unnamed}},
		{"a node of another cluster", stolen.forge(t, "server.other.honua", now.Add(-time.Hour), now.Add(long)), "", []string{noRole, denied, unnamed}},
		{"a wildcard is no role", stolen.forge(t, "*."+harness.ClusterName+".honua", now.Add(-time.Hour), now.Add(long)), "", []string{noRole, denied, unnamed}},
		{"no certificate", nil, "", []string{"didn't provide a certificate", "no credentials"}},
		{"a client with a role", admin, "admin API", []string{noRole, unnamed}},
		{"a node", own, "raft, gRPC between nodes", []string{denied, unnamed}},
	}
	for _, test := range tests {
		for _, p := range ports(t, c, node) {
			t.Run(test.name+"/"+p.name, func(t *testing.T) {
				before := len(node.Log())
				err := p.enter(test.cert)
				if admitted := p.logs == "" || strings.Contains(test.admitted, p.name); admitted != (err == nil) {
					t.Fatalf("let in: %v, want %v (%v)", err == nil, admitted, err)
				}
				if err == nil {
					return
				}
				harness.Eventually(t, 10*time.Second, func() error {
					said := node.Log()[before:]
					if !explains(said, []string{p.logs, "connection refused", "call without valid credentials"}, test.why) {
						return fmt.Errorf("the log does not say %q and one of %q: %s", p.logs, test.why, said)
					}
					return nil
				})
			})
		}
	}
	// HTTP asks clients for nothing; it is clients that check the server.
	wrong := c.TLS(harness.Credentials{})
	wrong.RootCAs = x509.NewCertPool()
	if err := dial(t.Context(), node.HTTP, wrong); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("HTTP: %v", err)
	}
	old := c.TLS(harness.Credentials{})
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for _, address := range []string{node.HTTP, node.GRPC, node.Raft} {
		if err := dial(t.Context(), address, old); err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("TLS 1.2 at %s: %v", address, err)
		}
	}
}

// explains reports whether a line of a log has one of the messages and one of the reasons.
func explains(log string, messages, reasons []string) bool {
	holds := func(line string) func(string) bool {
		return func(text string) bool { return strings.Contains(line, text) }
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "[Warning]") && slices.ContainsFunc(messages, holds(line)) && slices.ContainsFunc(reasons, holds(line)) {
			return true
		}
	}
	return false
}

// A node does not start with a certificate that the others would refuse, or with a key that others may read, and says why.
func TestNodesThatDoNotStart(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Nodes: 1, Secure: true, Idle: true})
	node, now, role := c.Nodes[0], time.Now(), "server."+harness.ClusterName+".honua"
	stolen, other := stolenAuthority(t, c), otherAuthority(t)
	files := c.NodeFiles(node)
	for _, test := range []struct {
		name string
		harm func()
		says string
	}{
		{"expired", func() { replace(t, c, files, stolen.forge(t, role, now.Add(-2*time.Hour), now.Add(-time.Hour))) }, "certificate is not valid now"},
		{"not yet valid", func() { replace(t, c, files, stolen.forge(t, role, now.Add(time.Hour), now.Add(2*time.Hour))) }, "certificate is not valid now"},
		{"another authority", func() { replace(t, c, files, other.forge(t, role, now.Add(-time.Hour), now.Add(time.Hour))) }, "unknown authority"},
		{"another cluster", func() {
			replace(t, c, files, stolen.forge(t, "server.x.honua", now.Add(-time.Hour), now.Add(time.Hour)))
		}, "does not have the role " + role},
		{"readable key", func() {
			replace(t, c, files, stolen.forge(t, role, now.Add(-time.Hour), now.Add(time.Hour)))
			if err := os.Chmod(files.Key, 0o640); err != nil {
				t.Fatal(err)
			}
		}, "run: chmod 600"},
		{"missing", func() {
			if err := os.Remove(files.Cert); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(files.Key, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
	} {
		test.harm()
		before := len(node.Log())
		node.Start()
		harness.Eventually(t, harness.StartWithin, func() error {
			if node.Running() {
				return fmt.Errorf("%s: it runs", test.name)
			}
			return nil
		})
		if said := node.Log()[before:]; !strings.Contains(said, test.says) {
			t.Errorf("%s: the log does not say %q: %s", test.name, test.says, said)
		}
	}
}

// replace puts a certificate and its key in the place of a node's.
func replace(t *testing.T, c *harness.Cluster, files harness.Credentials, cert *tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		files.Cert: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, files.Key: {Type: "PRIVATE KEY", Bytes: key},
	} {
		fresh := path + ".fresh"
		if err := os.WriteFile(fresh, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		c.ReplaceFile(fresh, path)
	}
}

// Certificates are replaced under load; no request fails, and those of the new authority are shown.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Secure: true})
	c.AwaitServed(development, c.Repo.Commits()[0])
	observer := harness.Observe(t.Context(), development, c.Nodes...)
	ctx, stop := context.WithCancel(t.Context())
	calls := make(chan error, 1)
	go func() { calls <- keepCalling(ctx, c) }()
	for round := range 2 {
		for _, n := range c.Nodes {
			name := fmt.Sprintf("%s-%d", n.ID, round)
			harness.CLI(t, nil, "tls", "server", "--dir", filepath.Dir(c.CAFile()), "--cluster", harness.ClusterName, "--name", name).Expect(t, 0)
			fresh := harness.Credentials{Cert: filepath.Join(filepath.Dir(c.CAFile()), name+".pem"), Key: filepath.Join(filepath.Dir(c.CAFile()), name+".key")}
			c.ReplaceFile(fresh.Cert, c.NodeFiles(n).Cert)
			c.ReplaceFile(fresh.Key, c.NodeFiles(n).Key)
			want := load(t, fresh).Certificate[0]
			for _, address := range []string{n.HTTP, n.GRPC} {
				harness.Eventually(t, 20*time.Second, func() error { return shows(t.Context(), c, address, want) })
			}
		}
		c.AwaitServed(development, c.Repo.AddLayer(development, fmt.Sprintf("layer%d", round)))
	}
	stop()
	if err := <-calls; err != nil {
		t.Error(err)
	}
	_, requests, failures := observer.Stop()
	if len(failures) > 0 || requests < 100 {
		t.Errorf("%d of %d requests failed: %v", len(failures), requests, failures)
	}
	c.AwaitEqualStates()
}

// keepCalling makes linearizable reads until ctx ends; its error is the first that failed.
func keepCalling(ctx context.Context, c *harness.Cluster) error {
	for ctx.Err() == nil {
		if _, err := c.Environment(development); err != nil && ctx.Err() == nil {
			return fmt.Errorf("a call failed: %w (%s)", err, status.Code(err))
		}
		if !harness.Pause(ctx, 5*time.Millisecond) {
			return nil
		}
	}
	return nil
}

func shows(ctx context.Context, c *harness.Cluster, address string, want []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	config := c.TLS(harness.Credentials{})
	config.NextProtos = []string{"h2"}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if string(conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw) != string(want) {
		return fmt.Errorf("%s shows the old certificate", address)
	}
	return nil
}
