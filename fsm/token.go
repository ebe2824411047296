package fsm

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Role orders what a caller may do; each includes the ones before it.
type Role uint8

// The roles. Their numbers are part of the snapshot.
const (
	RoleNone Role = iota
	RoleViewer
	RoleDeployer
	RoleApprover
	RoleAdmin
)

var roleNames = [...]string{"none", "viewer", "deployer", "approver", "admin"}

// String returns the role's name in lower case.
func (r Role) String() string { return roleNames[r] }

// EveryEnvironment is the environment of a Grant that holds for all of them.
const EveryEnvironment = "*"

// Grant is a role in one environment, or in EveryEnvironment.
type Grant struct {
	Environment string
	Role        Role
}

// Token is a bearer token, known by its hash.
type Token struct {
	// ID is the beginning of Hash, hexadecimal; see TokenID.
	ID   string
	Hash [32]byte
	// Identity is who its bearer is.
	Identity string
	Grants   []Grant
	// Created and Expires are Unix milliseconds by the replicated clock.
	Created     int64
	CreatedBy   string
	Expires     int64
	Description string
}

// Bounds of what tokens may take. The lifetime is in milliseconds.
const (
	maxTokens        = 1000
	maxGrants        = 100
	maxTokenName     = 256
	maxTokenLifetime = 366 * 24 * 60 * 60 * 1000
	// tokenMemory is how long one that has expired is still listed.
	tokenMemory = 7 * 24 * 60 * 60 * 1000
)

// TokenID returns the id of the token with a hash.
func TokenID(hash [32]byte) string { return hex.EncodeToString(hash[:8]) }

// Token returns a token by its id, or nil.
func (s *State) Token(id string) *Token { return s.tokens.get(id) }

// Tokens yields all tokens by id.
func (s *State) Tokens() iter.Seq[*Token] { return s.tokens.all("") }

// admitted refuses what the bearer of a token asks for that was revoked, or has
// expired by the replicated clock, since it arrived at its node.
func (c *change) admitted() error {
	id := c.envelope.GetCaller().GetTokenId()
	if id == "" {
		return nil
	}
	switch token := c.tokens.get(id); {
	case token == nil:
		return refuse(ClassDenied, "token_revoked", "token %s was revoked", id)
	case token.Expires <= c.now():
		return refuse(ClassDenied, "token_expired", "token %s has expired", id)
	}
	return nil
}

func (c *change) createToken(command *pb.CreateTokenCommand) (Result, error) {
	if len(command.GetHash()) != sha256.Size {
		return Result{}, refuse(ClassInvalid, "bad_hash", "a token's hash has 32 bytes, this has %d", len(command.GetHash()))
	}
	t := &Token{
		Hash: [32]byte(command.GetHash()), Identity: command.GetIdentity(), Created: c.now(), CreatedBy: c.actor(),
		Expires: command.GetExpiresAtMs(), Description: command.GetDescription(),
	}
	t.ID = TokenID(t.Hash)
	if t.Identity == "" {
		t.Identity = c.actor()
	}
	if err := t.check(); err != nil {
		return Result{}, err
	}
	grants, err := grantsOf(command.GetGrants())
	if err != nil {
		return Result{}, err
	}
	t.Grants = grants
	if c.tokens.get(t.ID) != nil {
		return Result{}, refuse(ClassExists, "token_exists", "there is a token %s already", t.ID)
	}
	if c.forgetTokens() >= maxTokens {
		return Result{}, refuse(ClassExhausted, "too_many_tokens", "there are %d tokens already: revoke some", maxTokens)
	}
	c.tokens.put(t)
	c.audit("token.create", "", t.ID, t.Description,
		"identity="+t.Identity+" grants="+grantsText(t.Grants)+" expires_ms="+strconv.FormatInt(t.Expires, 10))
	return Result{Message: t.ID}, nil
}

func (t *Token) check() error {
	printable := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	switch {
	case len(t.Identity) > maxTokenName || !printable(t.Identity):
		return refuse(ClassInvalid, "bad_identity", "an identity has at most %d bytes and no control characters", maxTokenName)
	case len(t.Description) > 4*maxTokenName || !printable(t.Description):
		return refuse(ClassInvalid, "bad_description", "a description has at most %d bytes and no control characters", 4*maxTokenName)
	case t.Expires <= t.Created:
		return refuse(ClassInvalid, "expired", "the token would have expired already")
	case t.Expires > t.Created+maxTokenLifetime:
		return refuse(ClassInvalid, "lives_too_long", "a token lives for a year at most")
	}
	return nil
}

func grantsOf(values []*pb.GrantValue) ([]Grant, error) {
	if len(values) == 0 || len(values) > maxGrants {
		return nil, refuse(ClassInvalid, "bad_grants", "a token needs a role, and has at most %d", maxGrants)
	}
	grants := make([]Grant, 0, len(values))
	for _, v := range values {
		g := Grant{Environment: v.GetEnvironment(), Role: Role(v.GetRole())}
		if v.GetRole() < pb.RoleValue_ROLE_VALUE_VIEWER || v.GetRole() > pb.RoleValue_ROLE_VALUE_ADMIN {
			return nil, refuse(ClassInvalid, "bad_role", "there is no role %d", v.GetRole())
		}
		if g.Environment == "" || len(g.Environment) > maxTokenName {
			return nil, refuse(ClassInvalid, "bad_environment", "a role is in one environment, or in %s", EveryEnvironment)
		}
		grants = append(grants, g)
	}
	slices.SortFunc(grants, func(a, b Grant) int {
		if order := strings.Compare(a.Environment, b.Environment); order != 0 {
			return order
		}
		return int(b.Role) - int(a.Role)
	})
	return grants, nil
}

func grantsText(grants []Grant) string {
	texts := make([]string, len(grants))
	for i, g := range grants {
		texts[i] = g.Role.String() + "@" + g.Environment
	}
	return strings.Join(texts, ",")
}

// forgetTokens drops what has expired long ago and returns how many are left.
func (c *change) forgetTokens() int {
	var over []string
	for t := range c.tokens.now().all("") {
		if t.Expires+tokenMemory < c.now() {
			over = append(over, t.ID)
		}
	}
	for _, id := range over {
		c.tokens.drop(id)
	}
	return c.tokens.now().len()
}

func (c *change) revokeToken(command *pb.RevokeTokenCommand) (Result, error) {
	t := c.tokens.get(command.GetTokenId())
	if t == nil {
		return Result{}, refuse(ClassNotFound, "unknown_token", "there is no token %q", command.GetTokenId())
	}
	c.tokens.drop(t.ID)
	c.audit("token.revoke", "", t.ID, command.GetReason(), "identity="+t.Identity)
	return Result{Message: t.ID}, nil
}

// recordAction puts on record what was done outside of the log.
func (c *change) recordAction(command *pb.RecordActionCommand) (Result, error) {
	if !slices.Contains([]string{"gossip_key.install", "gossip_key.use", "gossip_key.remove"}, command.GetAction()) {
		return Result{}, refuse(ClassInvalid, "bad_action", "%q cannot be put on record", command.GetAction())
	}
	c.audit(command.GetAction(), "", command.GetObject(), command.GetReason(), command.GetDetail())
	return Result{}, nil
}
