package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/api/auth"
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/clock"
	"github.com/honua-io/honua-gitops/internal/config"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// authenticator is how callers are known; nobody has to say who they are where
// authentication is off.
func (a *app) authenticator() (admin.Authenticator, error) {
	if !a.config.AuthEnabled() {
		return &everybody{a}, nil
	}
	c := auth.Config{
		Tokens: a.cluster.Store(), Cluster: a.config.Cluster.Name, Node: a.isNode, Trusted: a.trusted,
		Current: a.cluster.Linearize, Now: clock.Now, Logger: a.component("admin"),
	}
	if a.config.Auth.AdminToken != "" {
		c.AdminToken = a.config.Auth.AdminToken.Expand
	}
	var err error
	if c.Identities, err = grants(a.config.Auth.Identities); err != nil {
		return nil, fmt.Errorf("Auth.Identities: %w", err)
	}
	if a.config.Auth.OIDC.Issuer != "" {
		if c.Groups, err = grants(a.config.Auth.OIDC.Groups); err != nil {
			return nil, fmt.Errorf("Auth.Oidc.Groups: %w", err)
		}
		if c.OIDC, err = issuer(a.config.Auth.OIDC); err != nil {
			return nil, err
		}
	}
	found, err := auth.New(c)
	if err != nil {
		return nil, err
	}
	a.again.auth = found
	return found, nil
}

// trusted checks a client's certificates against the authorities of now.
func (a *app) trusted(state tls.ConnectionState) error { return a.clientFiles.CheckClient(state) }

func grants(configured map[string]config.Access) (map[string]auth.Grants, error) {
	found := make(map[string]auth.Grants, len(configured))
	for name, access := range configured {
		one, err := auth.ParseGrants(access.Roles...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found[name] = one
	}
	return found, nil
}

func issuer(c config.OIDC) (*auth.OIDC, error) {
	var authorities *x509.CertPool
	if c.CAFile != "" {
		data, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("Auth.Oidc.CaFile: %w", err)
		}
		authorities = x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("Auth.Oidc.CaFile: %s holds no PEM certificate", c.CAFile)
		}
	}
	return auth.NewOIDC(auth.OIDCConfig{
		Issuer: c.Issuer, Audience: c.Audience, Algorithms: c.Algorithms, IdentityClaim: c.IdentityClaim,
		GroupsClaim: c.GroupsClaim, Authorities: authorities, Now: time.Now,
	})
}

// everybody may do everything: a cluster on one machine. With TLS, only a node
// is one.
type everybody struct{ app *app }

// Identify returns an identity without a name.
func (e *everybody) Identify(ctx context.Context) (admin.Identity, error) {
	identity, err := admin.NoAuthentication{}.Identify(ctx)
	if p, ok := peer.FromContext(ctx); ok && e.app.nodeFiles != nil {
		info, secured := p.AuthInfo.(credentials.TLSInfo)
		identity.Node = secured && e.app.isNode(info.State)
	}
	return identity, err
}

// again decides on the leader about what other nodes send on.
type again struct {
	auth  *auth.Authenticator
	state func() *fsm.State
}

// Command says whether who asked may give a command.
func (g *again) Command(caller *pb.Caller, payload *pb.Payload) error {
	if g.auth == nil {
		return nil
	}
	switch caller.GetAuthentication() {
	case "", "system", "webhook":
		return admin.CheckNodeCommand(g.state(), payload)
	}
	identity, err := g.auth.Again(caller)
	if err != nil {
		return err
	}
	return admin.CheckCommand(g.state(), identity, payload)
}

// Membership says whether who asked may change the configuration.
func (g *again) Membership(caller *pb.Caller) error {
	if g.auth == nil {
		return nil
	}
	identity, err := g.auth.Again(caller)
	if err != nil {
		return err
	}
	if identity.RoleIn(admin.AllEnvironments) < admin.Admin {
		return fmt.Errorf("%s needs the role %s in every environment for this", identity.Name, admin.Admin)
	}
	return nil
}
