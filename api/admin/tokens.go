package admin

import (
	"context"
	"crypto/sha256"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// tokens is the TokenService.
type tokens struct {
	pb.UnimplementedTokenServiceServer
	*core
}

// CreateToken makes a token known, by the hash that the caller made of it.
func (s *tokens) CreateToken(ctx context.Context, r *pb.CreateTokenRequest) (*pb.CreateTokenResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.optionalName("identity", r.GetIdentity())
	c.text("description", r.GetDescription())
	if len(r.GetHash()) != sha256.Size {
		c.add("hash", "has %d bytes: it is the SHA-256 of the token, 32", len(r.GetHash()))
	}
	if r.GetExpiresAt() == nil {
		c.add("expires_at", "is required: every token ends")
	}
	expires := c.future("expires_at", r.GetExpiresAt(), s.Now())
	grants := c.grants(r.GetGrants())
	if err := c.err(); err != nil {
		return nil, err
	}
	result, state, err := s.execute(ctx, change{
		requestID: r.GetRequestId(), least: Admin,
		payload: &pb.Payload{Command: &pb.Payload_CreateToken{CreateToken: &pb.CreateTokenCommand{
			Hash: r.GetHash(), Identity: r.GetIdentity(), Grants: grants, ExpiresAtMs: expires, Description: r.GetDescription(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.CreateTokenResponse{Token: tokenMessage(state.Token(result.Message)), AppliedIndex: state.Index()}, nil
}

// grants checks the roles of a token.
func (c *check) grants(list []*pb.Grant) []*pb.GrantValue {
	if len(list) == 0 {
		c.add("grants", "is required: name a role")
	}
	values := make([]*pb.GrantValue, 0, len(list))
	for _, g := range list {
		c.optionalName("grants.environment", g.GetEnvironment())
		if g.GetRole() < pb.Role_ROLE_VIEWER || g.GetRole() > pb.Role_ROLE_ADMIN {
			c.add("grants.role", "is none of viewer, deployer, approver and admin")
		}
		environment := g.GetEnvironment()
		if environment == "" {
			environment = AllEnvironments
		}
		values = append(values, &pb.GrantValue{Environment: environment, Role: pb.RoleValue(g.GetRole())})
	}
	return values
}

// ListTokens returns what is known of all tokens.
func (s *tokens) ListTokens(ctx context.Context, r *pb.ListTokensRequest) (*pb.ListTokensResponse, error) {
	if err := s.permit(ctx, "", Admin); err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	answer := &pb.ListTokensResponse{AppliedIndex: state.Index()}
	for t := range state.Tokens() {
		answer.Tokens = append(answer.Tokens, tokenMessage(t))
	}
	return answer, nil
}

// RevokeToken ends a token.
func (s *tokens) RevokeToken(ctx context.Context, r *pb.RevokeTokenRequest) (*pb.RevokeTokenResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("id", r.GetId())
	c.text("reason", r.GetReason())
	if err := c.err(); err != nil {
		return nil, err
	}
	_, state, err := s.execute(ctx, change{
		requestID: r.GetRequestId(), least: Admin,
		payload: &pb.Payload{Command: &pb.Payload_RevokeToken{RevokeToken: &pb.RevokeTokenCommand{TokenId: r.GetId(), Reason: r.GetReason()}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.RevokeTokenResponse{AppliedIndex: state.Index()}, nil
}

// tokenMessage is nil for a token that is revoked by now.
func tokenMessage(t *fsm.Token) *pb.Token {
	if t == nil {
		return nil
	}
	m := &pb.Token{
		Id: t.ID, Identity: t.Identity, CreatedBy: t.CreatedBy, Description: t.Description,
		CreatedAt: timestamppb.New(time.UnixMilli(t.Created)), ExpiresAt: timestamppb.New(time.UnixMilli(t.Expires)),
	}
	for _, g := range t.Grants {
		environment := g.Environment
		if environment == fsm.EveryEnvironment {
			environment = ""
		}
		m.Grants = append(m.Grants, &pb.Grant{Environment: environment, Role: pb.Role(g.Role)})
	}
	return m
}
