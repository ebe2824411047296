package auth

import (
	"strings"

	"github.com/honua-io/honua-gitops/api/admin"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Again returns the identity of a caller that another node let in, with the
// roles that this node knows of: a token's bearer is looked up anew, roles of
// others are those of this node's own configuration.
func (a *Authenticator) Again(caller *pb.Caller) (admin.Identity, error) {
	identity := admin.Identity{
		Name: caller.GetIdentity(), Authentication: caller.GetAuthentication(), Source: caller.GetSource(),
		TokenID: caller.GetTokenId(), Groups: caller.GetGroups(),
	}
	switch caller.GetAuthentication() {
	case ByToken:
		return identity, a.tokenAgain(caller, &identity)
	case ByOIDC:
		if a.config.OIDC == nil {
			return identity, ErrUnknownToken
		}
		identity.Roles = a.grouped(caller.GetIdentity(), caller.GetGroups())
		return identity, nil
	case ByCertificate:
		grants, configured := a.identities[strings.ToLower(caller.GetIdentity())]
		if !configured {
			grants = a.certified(caller.GetGroups())
		}
		identity.Roles = grants
		return identity, nil
	}
	return identity, ErrNoCredentials
}

func (a *Authenticator) tokenAgain(caller *pb.Caller, to *admin.Identity) error {
	if caller.GetTokenId() == "" {
		if caller.GetIdentity() != AdminIdentity || a.config.AdminToken == nil {
			return ErrUnknownToken
		}
		to.Roles = Grants{admin.AllEnvironments: admin.Admin}
		return nil
	}
	token := a.config.Tokens.State().Token(caller.GetTokenId())
	if token == nil || token.Identity != caller.GetIdentity() {
		return ErrUnknownToken
	}
	return a.bear(token, to)
}
