package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// Ways in which a caller is known, as the audit spells them.
const (
	ByCertificate = "certificate"
	ByToken       = "token"
	ByOIDC        = "oidc"
	byNode        = "node"
)

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid authentication configuration")

// TokenState is where the cluster's tokens are; *fsm.Store is one.
type TokenState interface {
	State() *fsm.State
}

// Verifier checks tokens of another issuer.
type Verifier interface {
	// Verify returns who the bearer is and the groups it is in.
	Verify(ctx context.Context, token string) (Claims, error)
}

// Claims are what a verified token says.
type Claims struct {
	Identity string
	Groups   []string
}

// Config of an Authenticator.
type Config struct {
	// Tokens is the replicated state of this node. Required.
	Tokens TokenState
	// Current returns a state that shows everything that was acknowledged before. A token that this node has not heard of
	// is looked up there as well: it works on every node from when it was made. Nil: what this node has applied decides.
	Current func(context.Context) (*fsm.State, error)
	// Cluster is the cluster's name, which roles in certificates are of. Required.
	Cluster string
	// Node reports whether a connection is of another node. Nil: none is.
	Node func(tls.ConnectionState) bool
	// Trusted reports whether a client's certificates are still trusted: it is
	// asked at each call, because connections outlive certificates. Nil: they are.
	Trusted func(tls.ConnectionState) error
	// Identities are the roles of identities, whose names are compared regardless of
	// case. For a certificate they replace the roles inside it.
	Identities map[string]Grants
	// Groups are the roles of the groups in OIDC tokens.
	Groups map[string]Grants
	// AdminToken returns the one token that no cluster has to know, such as from a
	// file; "" when there is none. Nil: there is none.
	AdminToken func() (string, error)
	// OIDC verifies JWTs. Nil: none are accepted.
	OIDC Verifier
	// Now is the clock; default time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// AdminIdentity is who bears Config.AdminToken.
const AdminIdentity = "admin-token"

// Authenticator says who calls. It implements admin.Authenticator.
type Authenticator struct {
	config     Config
	identities map[string]Grants
}

// New returns an authenticator, or an error that wraps ErrConfig.
func New(c Config) (*Authenticator, error) {
	switch {
	case c.Tokens == nil:
		return nil, fmt.Errorf("%w: Tokens is required", ErrConfig)
	case c.Cluster == "":
		return nil, fmt.Errorf("%w: Cluster is required", ErrConfig)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Authenticator{config: c, identities: make(map[string]Grants, len(c.Identities))}
	for name, grants := range c.Identities {
		a.identities[strings.ToLower(name)] = grants
	}
	return a, nil
}
