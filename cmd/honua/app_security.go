package main

import (
	"context"
	"crypto/tls"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// nodeTLS is mutual TLS between nodes; nil for plain text.
func (a *app) nodeTLS() (cluster.TLS, error) {
	if !a.config.Cluster.TLS.Enabled() {
		return nil, nil
	}
	source, err := a.openTLS(a.config.Cluster.TLS)
	if err != nil {
		return nil, err
	}
	role := tlsfiles.ServerRole(a.config.Cluster.Name)
	server, err := source.ServerConfig(tlsfiles.RequireClientCerts, role)
	if err != nil {
		return nil, err
	}
	client, err := source.PeerConfig(role, "h2")
	if err != nil {
		return nil, err
	}
	return &clusterTLS{server: server, client: client}, nil
}

func (a *app) openTLS(files config.TLS) (*tlsfiles.Source, error) {
	source, err := tlsfiles.Open(tlsfiles.Config{
		Files:  tlsfiles.Files{CAFile: files.CAFile, CertFile: files.CertFile, KeyFile: files.KeyFile},
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

// clusterTLS hands the configurations to package cluster. Peers are verified by
// their role, whatever address they have.
type clusterTLS struct{ server, client *tls.Config }

func (t *clusterTLS) ServerConfig() *tls.Config       { return t.server.Clone() }
func (t *clusterTLS) ClientConfig(string) *tls.Config { return t.client.Clone() }

// grpcSecurity is how the gRPC server recognises nodes and callers.
func (a *app) grpcSecurity() (credentials.TransportCredentials, admin.Authenticator, error) {
	files := a.config.API.TLS
	if !files.Enabled() {
		files = a.config.Cluster.TLS
	}
	if !files.Enabled() {
		return nil, admin.NoAuthentication{}, nil
	}
	source, err := a.openTLS(files)
	if err != nil {
		return nil, nil, err
	}
	server, err := source.ServerConfig(tlsfiles.RequireClientCerts, "", "h2")
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(server), &certificates{role: tlsfiles.ServerRole(a.config.Cluster.Name)}, nil
}

// certificates tells nodes from callers by the role in the certificate: only a
// node's certificate may call what is between nodes.
type certificates struct{ role string }

// Identify names the caller by its certificate.
func (c *certificates) Identify(ctx context.Context) (admin.Identity, error) {
	identity, err := admin.NoAuthentication{}.Identify(ctx)
	identity.Node = false
	p, ok := peer.FromContext(ctx)
	if !ok {
		return identity, err
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return identity, err
	}
	identity.Node = tlsfiles.CheckPeer(info.State, c.role) == nil
	identity.Name, identity.Authentication = info.State.PeerCertificates[0].Subject.CommonName, "certificate"
	return identity, err
}
