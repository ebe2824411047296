//go:build unix

package harness

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/honua-io/honua-gitops/internal/client"
)

// Credentials are what a client shows. Empty ones show nothing.
type Credentials struct {
	// Cert and Key are PEM files.
	Cert, Key string
	Token     string
}

// Admin are the credentials of an admin of a cluster that was started with Options.Secure.
func (c *Cluster) Admin() Credentials { return c.admin }

// pki is the folder in which a cluster's certificates are.
func (c *Cluster) pki() string { return filepath.Join(c.Dir, "pki") }

// CAFile is the authority of a cluster that was started with Options.Secure.
func (c *Cluster) CAFile() string { return filepath.Join(c.pki(), "ca.pem") }

// ClusterName is the name of every cluster of the harness.
const ClusterName = "honua-test"

// IssueClient makes a client's certificate with the command line.
func (c *Cluster) IssueClient(name string, args ...string) Credentials {
	c.t.Helper()
	args = append([]string{"tls", "client", "--dir", c.pki(), "--cluster", ClusterName, "--name", name}, args...)
	CLI(c.t, nil, args...).Expect(c.t, 0)
	return Credentials{Cert: filepath.Join(c.pki(), name+".pem"), Key: filepath.Join(c.pki(), name+".key")}
}

// secure makes an authority, certificates and a gossip key for the nodes, and the certificate of an admin.
func (c *Cluster) secure() {
	c.t.Helper()
	CLI(c.t, nil, "tls", "ca", "--dir", c.pki(), "--cluster", ClusterName).Expect(c.t, 0)
	for _, node := range c.Nodes {
		CLI(c.t, nil, "tls", "server", "--dir", c.pki(), "--cluster", ClusterName, "--name", node.ID).Expect(c.t, 0)
	}
	c.admin = c.IssueClient("root", "--role", "admin")
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		c.t.Fatal(err)
	}
	c.gossipKey = base64.StdEncoding.EncodeToString(key)
}

// NodeFiles are a node's own certificate and key.
func (c *Cluster) NodeFiles(node *Node) Credentials {
	return Credentials{Cert: filepath.Join(c.pki(), node.ID+".pem"), Key: filepath.Join(c.pki(), node.ID+".key")}
}

func (c *Cluster) addSecurity(node *Node, settings Section) {
	files := c.NodeFiles(node)
	section := Section{"CaFile": c.CAFile(), "CertFile": files.Cert, "KeyFile": files.Key}
	settings["Cluster"].(Section)["Tls"] = section
	settings["Cluster"].(Section)["GossipKey"] = c.gossipKey
	settings["Api"].(Section)["Tls"] = section
}

// TLS is how credentials reach the cluster; nil where it is in the clear.
func (c *Cluster) TLS(as Credentials) *tls.Config {
	c.t.Helper()
	if !c.options.Secure {
		return nil
	}
	config, err := client.LoadTLS(c.CAFile(), as.Cert, as.Key)
	if err != nil {
		c.t.Fatal(err)
	}
	return config
}

// As runs the command line with credentials.
func (c *Cluster) As(as Credentials, args ...string) Result {
	c.t.Helper()
	env := []string{"HONUA_ADDRESS=" + strings.Join(c.Addresses(), ","), "HONUA_CERT=" + as.Cert, "HONUA_KEY=" + as.Key, "HONUA_TOKEN=" + as.Token}
	if c.options.Secure {
		env = append(env, "HONUA_CA="+c.CAFile())
	}
	return runCLI(c.t, env, args...)
}

// httpClient makes connections of its own.
func (n *Node) httpClient() (*http.Client, string) {
	if n.tls == nil {
		return http.DefaultClient, "http://"
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: n.tls, DisableKeepAlives: true}}, "https://"
}

// ReplaceFile puts another file in a file's place, as an operator who is careful does.
func (c *Cluster) ReplaceFile(from, to string) {
	c.t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(to+".new", to)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}
