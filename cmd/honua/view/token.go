package view

import (
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Token is what is known of a token. Secret is set once, when it is made.
type Token struct {
	ID          string  `json:"id"`
	Identity    string  `json:"identity"`
	Roles       []Grant `json:"roles"`
	CreatedAt   *Time   `json:"createdAt"`
	CreatedBy   string  `json:"createdBy"`
	ExpiresAt   *Time   `json:"expiresAt"`
	Description string  `json:"description"`
	Secret      string  `json:"token,omitempty"`
}

// Grant is a role in one environment; "*" is all.
type Grant struct {
	Environment string `json:"environment"`
	Role        string `json:"role"`
}

// TokenList is the answer of `token list`.
type TokenList struct {
	Tokens       []Token `json:"tokens"`
	AppliedIndex uint64  `json:"appliedIndex"`
}

// NewToken converts a token.
func NewToken(t *pb.Token) Token {
	return Token{
		ID: t.GetId(), Identity: t.GetIdentity(), CreatedAt: moment(t.GetCreatedAt()), CreatedBy: t.GetCreatedBy(),
		ExpiresAt: moment(t.GetExpiresAt()), Description: t.GetDescription(), Roles: each(t.GetGrants(), newGrant),
	}
}

func newGrant(g *pb.Grant) Grant {
	environment := g.GetEnvironment()
	if environment == "" {
		environment = "*"
	}
	return Grant{Environment: environment, Role: strings.ToLower(Name(g.GetRole()))}
}

// NewTokenList converts an answer.
func NewTokenList(r *pb.ListTokensResponse) TokenList {
	return TokenList{Tokens: each(r.GetTokens(), NewToken), AppliedIndex: r.GetAppliedIndex()}
}
