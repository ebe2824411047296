package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/fsm"
)

// Errors that a caller is told. None quotes what the caller sent.
var (
	ErrNoCredentials = errors.New("no credentials: show a client certificate (--cert, --key) or a token (--token, HONUA_TOKEN)")
	ErrHeader        = errors.New(`the authorization header is not "Bearer" and a token`)
	ErrUnknownToken  = errors.New("the token is not known here: it was never made, or it was revoked")
	ErrExpiredToken  = errors.New("the token has expired")
	ErrCertificate   = errors.New("the client's certificate is not accepted")
)

// maxBearer bounds a token that is looked at, bytes.
const maxBearer = 8 << 10

// lookupWait bounds how long a call with a token that this node does not know waits for a current state.
const lookupWait = time.Second

// Identify reads the credentials of a call: a token if there is one, else the
// certificate of the connection.
func (a *Authenticator) Identify(ctx context.Context) (admin.Identity, error) {
	identity := admin.Identity{}
	var state *tls.ConnectionState
	if p, ok := peer.FromContext(ctx); ok {
		if p.Addr != nil {
			identity.Source = p.Addr.String()
		}
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			state = &info.State
		}
	}
	if state != nil && a.config.Node != nil && a.config.Node(*state) {
		identity.Name, identity.Authentication, identity.Node = byNode, byNode, true
		return identity, nil
	}
	token, err := bearer(ctx)
	switch {
	case err != nil:
		return identity, err
	case token != "":
		return identity, a.byToken(ctx, token, &identity)
	case state != nil && len(state.VerifiedChains) > 0:
		return identity, a.byCertificate(*state, &identity)
	}
	return identity, ErrNoCredentials
}

// bearer returns the token of a call; "" if it has none.
func bearer(ctx context.Context) (string, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	values := headers.Get("authorization")
	if len(values) == 0 {
		return "", nil
	}
	return parseBearer(values)
}

func parseBearer(values []string) (string, error) {
	if len(values) != 1 {
		return "", ErrHeader
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxBearer {
		return "", ErrHeader
	}
	// The characters of RFC 6750's b64token: nothing else can be one.
	for _, c := range []byte(token) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/=", c) >= 0:
		default:
			return "", ErrHeader
		}
	}
	return token, nil
}

func (a *Authenticator) byToken(ctx context.Context, token string, to *admin.Identity) error {
	if a.isAdminToken(token) {
		to.Name, to.Authentication = AdminIdentity, ByToken
		to.Roles = Grants{admin.AllEnvironments: admin.Admin}
		return nil
	}
	if hash, err := HashToken(token); err == nil {
		return a.byHash(ctx, hash, to)
	}
	if a.config.OIDC == nil || strings.Count(token, ".") != 2 {
		return ErrUnknownToken
	}
	claims, err := a.config.OIDC.Verify(ctx, token)
	if err != nil {
		return err
	}
	to.Name, to.Authentication, to.Groups = claims.Identity, ByOIDC, claims.Groups
	to.Roles = a.grouped(claims.Identity, claims.Groups)
	return nil
}

func (a *Authenticator) isAdminToken(token string) bool {
	if a.config.AdminToken == nil {
		return false
	}
	known, err := a.config.AdminToken()
	if err != nil {
		a.config.Logger.Error("Auth.AdminToken cannot be read; it is not accepted", "error", err)
		return false
	}
	given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(known))
	return known != "" && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

// byHash looks a token up in what this node has applied: a revocation that has
// reached it holds at once. One that is not there may have been made just now.
func (a *Authenticator) byHash(ctx context.Context, hash [sha256.Size]byte, to *admin.Identity) error {
	token := tokenOf(a.config.Tokens.State(), hash)
	if token == nil && a.config.Current != nil {
		ctx, cancel := context.WithTimeout(ctx, lookupWait)
		defer cancel()
		if state, err := a.config.Current(ctx); err == nil {
			token = tokenOf(state, hash)
		}
	}
	if token == nil {
		return ErrUnknownToken
	}
	return a.bear(token, to)
}

// tokenOf returns the token with a hash, nil if there is none.
func tokenOf(state *fsm.State, hash [sha256.Size]byte) *fsm.Token {
	token := state.Token(fsm.TokenID(hash))
	if token == nil || subtle.ConstantTimeCompare(token.Hash[:], hash[:]) != 1 {
		return nil
	}
	return token
}

// bear makes an identity that of a token's bearer.
func (a *Authenticator) bear(token *fsm.Token, to *admin.Identity) error {
	expires := time.UnixMilli(token.Expires)
	if !a.config.Now().Before(expires) {
		return fmt.Errorf("%w: token %s was valid until %s", ErrExpiredToken, token.ID, expires.UTC().Format(time.RFC3339))
	}
	to.Name, to.Authentication, to.TokenID, to.Roles = token.Identity, ByToken, token.ID, tokenGrants(token)
	return nil
}

// grouped are the roles of somebody who is in groups.
func (a *Authenticator) grouped(identity string, groups []string) Grants {
	grants := Grants{}
	grants.join(a.identities[strings.ToLower(identity)])
	for _, group := range groups {
		grants.join(a.config.Groups[group])
	}
	return grants
}
