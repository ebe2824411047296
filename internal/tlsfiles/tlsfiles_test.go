package tlsfiles

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const year = 365 * 24 * time.Hour

// start is the time of all tests that do not move it.
var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func fixed() time.Time { return start }

// authority is a CA and a folder for what it issues.
type authority struct {
	t    *testing.T
	ca   *Authority
	dir  string
	pair Pair
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	pair, err := NewAuthority("test", start, 10*year)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := OpenAuthority(pair, start)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, ca: ca, dir: t.TempDir(), pair: pair}
	if err := pair.Write(filepath.Join(a.dir, "ca.pem"), filepath.Join(a.dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) files(name string, pair Pair, err error) Files {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
	f := Files{CAFile: filepath.Join(a.dir, "ca.pem"), CertFile: filepath.Join(a.dir, name+".pem"), KeyFile: filepath.Join(a.dir, name+".key")}
	if err := pair.Write(f.CertFile, f.KeyFile); err != nil {
		a.t.Fatal(err)
	}
	return f
}

func (a *authority) server(name, cluster string) Files {
	pair, err := a.ca.IssueServer(cluster, []string{"10.0.0.1", "node1.example.com"}, year)
	return a.files(name, pair, err)
}

func (a *authority) client(name string) Files {
	pair, err := a.ca.IssueClient(name, year)
	return a.files(name, pair, err)
}

func open(t *testing.T, f Files) *Source {
	t.Helper()
	s, err := Open(Config{Files: f, Now: fixed})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T) func(*tls.Config, error) *tls.Config {
	return func(c *tls.Config, err error) *tls.Config {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// connect returns the ends of a connection over loopback. An in-memory pipe
// will not do: it has no buffer, and both ends may send an alert at once.
func connect(t *testing.T) (server, client net.Conn) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client, err = new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = listener.Accept()
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// handshake connects both ends and exchanges a byte, so that the
// server's refusal reaches the client too. It returns both ends' errors.
func handshake(t *testing.T, server, client *tls.Config) (leaf *x509.Certificate, serverErr, clientErr error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, b := connect(t)
	done := make(chan error, 1)
	go func() {
		conn := tls.Server(a, server)
		err := conn.HandshakeContext(ctx)
		if err == nil {
			_, err = conn.Write([]byte{1})
		}
		done <- errors.Join(err, a.Close())
	}()
	conn := tls.Client(b, client)
	clientErr = conn.HandshakeContext(ctx)
	if clientErr == nil {
		leaf = conn.ConnectionState().PeerCertificates[0]
		_, clientErr = io.ReadFull(conn, make([]byte, 1))
	}
	clientErr = errors.Join(clientErr, b.Close())
	return leaf, <-done, clientErr
}

func TestHandshakes(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	role, node, client := ServerRole("c1"), ours.server("node", "c1"), ours.client("alice")
	peer := func(f Files) *tls.Config { return must(t)(open(t, f).PeerConfig(role)) }
	named := func(f Files, name string) *tls.Config {
		c := open(t, f).ClientConfig()
		c.ServerName = name
		return c
	}
	nodes := must(t)(open(t, node).ServerConfig(RequireClientCerts, role))
	api := must(t)(open(t, node).ServerConfig(OptionalClientCerts, ""))
	plain := must(t)(open(t, node).ServerConfig(NoClientCerts, ""))
	withoutTickets := peer(node)
	withoutTickets.MaxVersion = tls.VersionTLS12
	withoutTickets.MinVersion = tls.VersionTLS12
	tests := []struct {
		name           string
		server, client *tls.Config
		want           string // in one of the errors; "" is success
	}{
		{"node to node", nodes, peer(node), ""},
		{"a client's certificate is no node's", nodes, peer(client), "does not have the role server.c1.honua"},
		{"a node of another cluster of the same authority", nodes, peer(ours.server("other", "c2")), "does not have the role"},
		{"a node of another authority", nodes, peer(Files{node.CAFile, theirs.server("n", "c1").CertFile, filepath.Join(theirs.dir, "n.key")}), "unknown authority"},
		{"no certificate where one is required", nodes, peer(Files{CAFile: node.CAFile}), "didn't provide a certificate"},
		{"dialled server has no role", must(t)(open(t, ours.server("wrong", "c9")).ServerConfig(NoClientCerts, "")), peer(node), "does not have the role"},
		{"dialled server has a client's certificate", must(t)(open(t, client).ServerConfig(NoClientCerts, "")), peer(node), "incompatible key usage"},
		{"dialled server of another authority", must(t)(open(t, theirs.server("n2", "c1")).ServerConfig(NoClientCerts, "")), peer(node), "unknown authority"},
		{"TLS 1.2", nodes, withoutTickets, "protocol version"},
		{"client by name", api, named(client, "node1.example.com"), ""},
		{"client by address", api, named(client, "10.0.0.1"), ""},
		{"client by wrong name", api, named(client, "node2.example.com"), "not node2.example.com"},
		{"client without certificate", api, named(Files{CAFile: node.CAFile}, "localhost"), ""},
		{"client of another authority", api, named(Files{node.CAFile, theirs.client("mallory").CertFile, filepath.Join(theirs.dir, "mallory.key")}, "localhost"), "unknown authority"},
		{"server that asks for none", plain, named(client, "127.0.0.1"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, serverErr, clientErr := handshake(t, test.server, test.client)
			err := errors.Join(serverErr, clientErr)
			if test.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	a := newAuthority(t)
	good := a.server("good", "c")
	loose := a.server("loose", "c")
	if err := os.Chmod(loose.KeyFile, 0o640); err != nil {
		t.Fatal(err)
	}
	brief, err := a.ca.IssueServer("c", nil, time.Minute)
	expired := a.files("expired", brief, err)
	text := filepath.Join(a.dir, "text")
	if err := os.WriteFile(text, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		files Files
		now   time.Time
		want  error
	}{
		{"nothing", Files{}, start, ErrFile},
		{"half", Files{CertFile: good.CertFile}, start, ErrFile},
		{"missing certificate", Files{CertFile: "/nonexistent", KeyFile: good.KeyFile}, start, ErrFile},
		{"missing key", Files{CertFile: good.CertFile, KeyFile: "/nonexistent"}, start, ErrFile},
		{"missing authority", Files{CAFile: "/nonexistent"}, start, ErrFile},
		{"authority is no PEM", Files{CAFile: text}, start, ErrFile},
		{"certificate is no PEM", Files{CertFile: text, KeyFile: good.KeyFile}, start, ErrFile},
		{"another one's key", Files{CertFile: good.CertFile, KeyFile: expired.KeyFile}, start, ErrFile},
		{"group may read the key", loose, start, ErrKeyMode},
		{"expired", expired, start.Add(2 * time.Minute), ErrExpired},
		{"not valid yet", good, start.Add(-time.Hour), ErrExpired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(Config{Files: test.files, Now: func() time.Time { return test.now }})
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestConfigsNeedTheirFiles(t *testing.T) {
	a := newAuthority(t)
	node := a.server("node", "c")
	onlyCA, noCA := open(t, Files{CAFile: node.CAFile}), open(t, Files{CertFile: node.CertFile, KeyFile: node.KeyFile})
	_, withoutCert := onlyCA.ServerConfig(NoClientCerts, "")
	_, withoutCA := noCA.ServerConfig(RequireClientCerts, "")
	_, peerWithoutCA := noCA.PeerConfig("role")
	_, peerWithoutRole := onlyCA.PeerConfig("")
	_, roleOfNobody := noCA.ServerConfig(NoClientCerts, "role")
	for i, err := range []error{withoutCert, withoutCA, peerWithoutCA} {
		if !errors.Is(err, ErrFile) {
			t.Errorf("%d: got %v", i, err)
		}
	}
	for i, err := range []error{peerWithoutRole, roleOfNobody} {
		if !errors.Is(err, ErrRole) {
			t.Errorf("%d: got %v", i, err)
		}
	}
	if !onlyCA.NotAfter().IsZero() || !noCA.NotAfter().Equal(start.Add(year)) {
		t.Error("NotAfter is wrong")
	}
}

// TestReload replaces files under a server and a client that are in use.
func TestReload(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	files := ours.server("node", "c1")
	next := theirs.server("node", "c1")
	now := start
	var log bytes.Buffer
	source, err := Open(Config{
		Files: files, CheckInterval: time.Second, Now: func() time.Time { return now },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	role := ServerRole("c1")
	server, client := must(t)(source.ServerConfig(RequireClientCerts, role)), must(t)(source.PeerConfig(role))
	serial := func() string {
		t.Helper()
		leaf, serverErr, clientErr := handshake(t, server, client)
		if err := errors.Join(serverErr, clientErr); err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.String()
	}
	first := serial()

	copyFile(t, next.CertFile, files.CertFile) // certificate and key do not fit now
	now = now.Add(2 * time.Second)
	if serial() != first {
		t.Error("half a replacement is in use")
	}
	now = now.Add(2 * time.Second)
	serial()
	if got := strings.Count(log.String(), "level=ERROR"); got != 1 {
		t.Errorf("the failure is reported %d times, want once:\n%s", got, &log)
	}

	copyFile(t, next.KeyFile, files.KeyFile)
	copyFile(t, next.CAFile, files.CAFile)
	if serial() != first {
		t.Error("files are looked at more often than the interval says")
	}
	now = now.Add(2 * time.Second)
	if serial() == first || !strings.Contains(log.String(), "TLS files reloaded") {
		t.Errorf("the replacement is not in use:\n%s", &log)
	}
	old := must(t)(open(t, ours.server("old", "c1")).PeerConfig(role))
	if _, serverErr, clientErr := handshake(t, server, old); errors.Join(serverErr, clientErr) == nil {
		t.Error("the old authority is still trusted")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

func TestAuthorityRefuses(t *testing.T) {
	a := newAuthority(t)
	client, err := a.ca.IssueClient("alice", year)
	if err != nil {
		t.Fatal(err)
	}
	_, notAnAuthority := OpenAuthority(client, start)
	_, expired := OpenAuthority(a.pair, start.Add(11*year))
	_, garbage := OpenAuthority(Pair{}, start)
	_, nobody := a.ca.IssueClient("", year)
	_, never := a.ca.IssueServer("c", nil, 0)
	for i, err := range []error{notAnAuthority, expired, garbage, nobody, never} {
		if !errors.Is(err, ErrIssue) {
			t.Errorf("%d: got %v", i, err)
		}
	}
	certFile, keyFile := filepath.Join(a.dir, "ca.pem"), filepath.Join(a.dir, "ca.key")
	if err := client.Write(certFile+"2", keyFile); !errors.Is(err, ErrFile) {
		t.Errorf("a key is overwritten: %v", err)
	}
	if err := client.Write(certFile, keyFile+"2"); !errors.Is(err, ErrFile) {
		t.Errorf("a certificate is overwritten: %v", err)
	}
	if _, err := os.Stat(keyFile + "2"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key without certificate is left behind: %v", err)
	}
}

func TestIssuedCertificateEndsWithItsAuthority(t *testing.T) {
	a := newAuthority(t)
	pair, err := a.ca.IssueClient("alice", 100*year)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pair.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !cert.NotAfter.Equal(a.ca.cert.NotAfter) {
		t.Errorf("ends %v, the authority %v, %v", cert.NotAfter, a.ca.cert.NotAfter, err)
	}
	if len(cert.DNSNames) != 0 || cert.Subject.CommonName != "alice" {
		t.Errorf("names: %v %v", cert.DNSNames, cert.Subject)
	}
}

// A certificate that peers would refuse is refused where it is configured, and one that replaces a good one is not used.
func TestRoleOfOurOwn(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	role := ServerRole("c1")
	good, other, client, foreign := ours.server("node", "c1"), ours.server("other", "c2"), ours.client("alice"), theirs.server("foreign", "c1")
	foreign.CAFile = good.CAFile
	for name, test := range map[string]struct {
		files Files
		want  error
	}{
		"a node's":              {good, nil},
		"of another cluster":    {other, ErrRole},
		"a client's":            {client, ErrRole},
		"of another authority":  {foreign, ErrFile},
		"an authority and none": {Files{CAFile: good.CAFile}, nil},
	} {
		if _, err := Open(Config{Files: test.files, Role: role, Now: fixed}); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
	now := start
	var log bytes.Buffer
	source, err := Open(Config{Files: good, Role: role, Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	before := source.material().cert
	copyFile(t, other.CertFile, good.CertFile)
	copyFile(t, other.KeyFile, good.KeyFile)
	now = now.Add(2 * time.Second)
	if source.material().cert != before || !strings.Contains(log.String(), "does not have the role") {
		t.Errorf("a certificate of another cluster is in use: %s", &log)
	}
}
