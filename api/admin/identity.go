package admin

import (
	"context"
	"strings"

	"google.golang.org/grpc/peer"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Role is what a caller may do; each includes the ones before it.
type Role uint8

// The roles of callers.
const (
	// NoRole may call what is public only.
	NoRole Role = iota
	// Viewer reads.
	Viewer
	// Deployer also polls, retries, cancels, pauses and resumes.
	Deployer
	// Approver also approves, rejects and rolls back.
	Approver
	// Admin also overrides, freezes everything and changes the cluster.
	Admin
)

// String returns the role's name in lower case.
func (r Role) String() string {
	return [...]string{"none", "viewer", "deployer", "approver", "admin"}[r]
}

// AllEnvironments is the key of Identity.Roles that stands for every environment.
const AllEnvironments = "*"

// Ways in which a caller is known; see pb.Caller.
const authenticationNone = "none"

// anonymous is who acts when nobody said who does.
const anonymous = "anonymous"

// Identity is who calls, and what they may do.
type Identity struct {
	// Name is empty if nothing is known.
	Name string
	// Authentication is none, token, certificate, oidc or node.
	Authentication string
	// Source is the address that the call came from.
	Source string
	// Roles by environment; AllEnvironments stands for each.
	Roles map[string]Role
	// Node: the caller is a node of this cluster.
	Node bool
	// TokenID is the token that was shown, if it is one of the cluster's.
	TokenID string
	// Groups are what the credential says of its bearer, from which roles follow.
	Groups []string
}

// RoleIn returns the role in one environment; in an empty one, the highest that
// the identity has in any.
func (i Identity) RoleIn(environment string) Role {
	role := i.Roles[AllEnvironments]
	if environment != "" {
		return max(role, i.Roles[environment])
	}
	for _, r := range i.Roles {
		role = max(role, r)
	}
	return role
}

// authenticated reports whether the caller has proved to be who it is.
func (i Identity) authenticated() bool {
	return i.Name != "" && i.Authentication != "" && i.Authentication != authenticationNone
}

// Authenticator says who calls.
type Authenticator interface {
	// Identify reads the credentials of a call from its context. Its error is
	// shown to the caller as UNAUTHENTICATED and must not quote a secret.
	Identify(ctx context.Context) (Identity, error)
}

// NoAuthentication lets everybody do everything, under the name they give. It
// is for one machine.
type NoAuthentication struct{}

// Identify returns an identity without a name and with every role.
func (NoAuthentication) Identify(ctx context.Context) (Identity, error) {
	return Identity{
		Authentication: authenticationNone,
		Source:         source(ctx),
		Roles:          map[string]Role{AllEnvironments: Admin},
		Node:           true,
	}, nil
}

func source(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		return p.Addr.String()
	}
	return ""
}

// named returns the name under which an identity acts. A credential's identity
// is never replaced by what the caller says.
func (i Identity) named(claimed string) (string, error) {
	if i.Authentication == authenticationNone {
		if claimed == "" {
			return anonymous, nil
		}
		return claimed, nil
	}
	if claimed != "" && !strings.EqualFold(claimed, i.Name) {
		return "", &problem{
			failure: Denied, reason: "identity_mismatch",
			message: "the credential is " + i.Name + "'s: it cannot act as " + claimed,
		}
	}
	return i.Name, nil
}

// caller is the identity as it travels with a command, acting under a name.
func (i Identity) caller(name string) *pb.Caller {
	return &pb.Caller{
		Identity: name, Authentication: i.Authentication, Source: i.Source, TokenId: i.TokenID, Groups: i.Groups,
	}
}

type identityKey struct{}

func withIdentity(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// identityOf is what the interceptor found; without it nothing is allowed.
func identityOf(ctx context.Context) Identity {
	i, _ := ctx.Value(identityKey{}).(Identity)
	return i
}
