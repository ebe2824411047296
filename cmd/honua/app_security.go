package main

import (
	"crypto/tls"
	"errors"

	"google.golang.org/grpc/credentials"

	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// openSecurity opens the certificates: those that nodes show each other, and
// those that clients see.
func (a *app) openSecurity() (err error) {
	if a.config.Cluster.TLS.Enabled() {
		if a.nodeFiles, err = a.openTLS(a.config.Cluster.TLS, a.role()); err != nil {
			return err
		}
		a.clientFiles = a.nodeFiles
	}
	if a.config.API.TLS.Enabled() {
		a.clientFiles, err = a.openTLS(a.config.API.TLS, "")
	}
	return err
}

// openTLS opens files; with a role, of a certificate that other nodes have to accept.
func (a *app) openTLS(files config.TLS, role string) (*tlsfiles.Source, error) {
	source, err := tlsfiles.Open(tlsfiles.Config{
		Files:  tlsfiles.Files{CAFile: files.CAFile, CertFile: files.CertFile, KeyFile: files.KeyFile},
		Role:   role,
		Logger: a.component("tls"),
	})
	if err == nil {
		a.tls = append(a.tls, openedTLS{files.CertFile, source})
	}
	return source, err
}

// openedTLS is a source in use and the file of its certificate.
type openedTLS struct {
	file   string
	source *tlsfiles.Source
}

// role is the name that every node's certificate holds.
func (a *app) role() string { return tlsfiles.ServerRole(a.config.Cluster.Name) }

// nodeTLS is mutual TLS between nodes; nil for plain text.
func (a *app) nodeTLS() (cluster.TLS, error) {
	if a.nodeFiles == nil {
		return nil, nil
	}
	server, err := a.nodeFiles.ServerConfig(tlsfiles.RequireClientCerts, a.role())
	if err != nil {
		return nil, err
	}
	client, err := a.nodeFiles.PeerConfig(a.role(), "h2")
	if err != nil {
		return nil, err
	}
	return &clusterTLS{server: server, client: client}, nil
}

// clusterTLS hands the configurations to package cluster. Peers are verified by
// their role, whatever address they have.
type clusterTLS struct{ server, client *tls.Config }

func (t *clusterTLS) ServerConfig() *tls.Config       { return t.server.Clone() }
func (t *clusterTLS) ClientConfig(string) *tls.Config { return t.client.Clone() }

// errNodesInTheClear: the gRPC port is one, for nodes and for clients.
var errNodesInTheClear = errors.New("Api.Tls needs Cluster.Tls as soon as there is more than one node: nodes call each other on Api.GrpcAddress")

// grpcCredentials is TLS on the port that nodes and clients share; nil for plain
// text. Nodes ask for the role's name and must show a node's certificate. Others
// may show a client's: who has none needs a token.
func (a *app) grpcCredentials() (credentials.TransportCredentials, error) {
	if a.clientFiles == nil {
		return nil, nil
	}
	if a.nodeFiles == nil && (a.config.Cluster.BootstrapExpect > 1 || len(a.config.Cluster.Join) > 0) {
		return nil, errNodesInTheClear
	}
	ask := tlsfiles.OptionalClientCerts
	if a.config.API.TLS.Enabled() && a.config.API.TLS.CAFile == "" {
		ask = tlsfiles.NoClientCerts
	}
	server, err := a.clientFiles.ServerConfig(ask, "", "h2")
	if err != nil {
		return nil, err
	}
	if a.nodeFiles != nil {
		nodes, err := a.nodeFiles.ServerConfig(tlsfiles.RequireClientCerts, a.role(), "h2")
		if err != nil {
			return nil, err
		}
		server = tlsfiles.Route(a.role(), nodes, server)
	}
	return &loggedHandshakes{TransportCredentials: credentials.NewTLS(server), log: a.component("admin")}, nil
}

// isNode: who asked for the role's name was made to show a node's certificate.
func (a *app) isNode(state tls.ConnectionState) bool {
	return a.nodeFiles != nil && state.ServerName == a.role() && tlsfiles.CheckPeer(state, a.role()) == nil
}

// httpTLS is TLS for HTTP, which only Api.Tls turns on; nil for plain text.
func (a *app) httpTLS() (*tls.Config, error) {
	if !a.config.API.TLS.Enabled() {
		return nil, nil
	}
	return a.clientFiles.ServerConfig(tlsfiles.NoClientCerts, "", "h2", "http/1.1")
}
