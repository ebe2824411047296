package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/api/auth"
	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newTokenCommand(s *session) *cobra.Command {
	return newGroup("token", "Make and revoke tokens for programs and people",
		newTokenCreateCommand(s), newTokenListCommand(s), newTokenRevokeCommand(s))
}

// tokenLife is how long a token lives unless --ttl says otherwise, and at most.
const (
	tokenLife    = 30 * day
	tokenLongest = 366 * day
)

func newTokenCreateCommand(s *session) *cobra.Command {
	var request pb.CreateTokenRequest
	var roles, environments []string
	var life time.Duration
	command := &cobra.Command{
		Use: "create", Short: "Make a token, which is shown once", Args: cobra.NoArgs,
		Long: `Make a token. It is made here and shown once; the cluster only ever learns its hash. Its bearer acts as
--identity, or as you.`,
		Example: "  honua token create --role approver --environment production --ttl 720h\n" +
			"  honua token create --identity ci --role deployer@staging --role viewer -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			grants, err := readGrants(roles, environments)
			if err != nil {
				return err
			}
			if len(grants) == 0 {
				return errors.New("--role is required: " + strings.Join(auth.RoleNames(), ", "))
			}
			if life <= 0 || life > tokenLongest {
				return fmt.Errorf("--ttl %s: more than 0 and at most %dh", life, int(tokenLongest.Hours()))
			}
			request.ExpiresAt = timestamppb.New(time.Now().Add(life))
			request.Grants = grantMessages(grants)
			return s.createToken(cmd.Context(), &request)
		},
	}
	command.Flags().StringVar(&request.Identity, "identity", "", "who the token's bearer is (default you)")
	command.Flags().StringVar(&request.Description, "description", "", "what the token is for")
	command.Flags().DurationVar(&life, "ttl", tokenLife, "how long the token lives")
	roleFlags(command, &roles, &environments)
	return command
}

func grantMessages(grants auth.Grants) []*pb.Grant {
	var messages []*pb.Grant
	for _, environment := range sortedKeys(grants) {
		g := &pb.Grant{Environment: environment, Role: pb.Role(grants[environment])}
		if environment == "*" {
			g.Environment = ""
		}
		messages = append(messages, g)
	}
	return messages
}

func (s *session) createToken(ctx context.Context, request *pb.CreateTokenRequest) error {
	secret, err := auth.NewToken()
	if err != nil {
		return err
	}
	hash, err := auth.HashToken(secret)
	if err != nil {
		return err
	}
	request.Hash, request.RequestId = hash[:], client.NewRequestID(time.Now())
	var shown view.Token
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Tokens().CreateToken(ctx, request)
		shown = view.NewToken(answer.GetToken())
		return err
	})
	if err != nil {
		return err
	}
	shown.Secret = secret
	return s.print(shown, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\n", secret)
		fmt.Fprintf(s.err, "Token %s of %s, %s, expires %s. It is not shown again.\n", shown.ID, safe(shown.Identity), grantText(shown.Roles), utc(shown.ExpiresAt))
		return err
	})
}

func grantText(grants []view.Grant) string {
	texts := make([]string, len(grants))
	for i, g := range grants {
		texts[i] = g.Role + "@" + g.Environment
	}
	return strings.Join(texts, " ")
}

func newTokenListCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use: "list", Short: "List the tokens, without their secrets", Args: cobra.NoArgs,
		Example: "  honua token list\n  honua token list -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			var list view.TokenList
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				answer, err := c.Tokens().ListTokens(ctx, &pb.ListTokensRequest{Consistency: read.consistency()})
				list = view.NewTokenList(answer)
				return err
			})
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error { return s.tokenTable(w, list.Tokens) })
		},
	}
	read.register(command.Flags())
	return command
}

func (s *session) tokenTable(w io.Writer, tokens []view.Token) error {
	const narrow = 5
	t := newTable(w, s.columns(narrow, "ID", "IDENTITY", "ROLES", "EXPIRES", "DESCRIPTION", "CREATED", "BY")...)
	for _, token := range tokens {
		t.row(s.columns(narrow, token.ID, safe(token.Identity), grantText(token.Roles), utc(token.ExpiresAt),
			s.clip(token.Description, 60), utc(token.CreatedAt), safe(token.CreatedBy))...)
	}
	return t.flush()
}

// revokedView is the answer of `token revoke`.
type revokedView struct {
	ID           string `json:"id"`
	AppliedIndex uint64 `json:"appliedIndex"`
}

func newTokenRevokeCommand(s *session) *cobra.Command {
	var requestID, reason string
	command := &cobra.Command{
		Use: "revoke ID", Short: "End a token, on every node", Args: cobra.ExactArgs(1),
		Example: "  honua token revoke 4f1d2a9c0b7e8831 --reason 'left the team'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			write := writeFlags{requestID: requestID}
			request := &pb.RevokeTokenRequest{RequestId: write.id(), Id: args[0], Reason: reason}
			shown := revokedView{ID: args[0]}
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				answer, err := c.Tokens().RevokeToken(ctx, request)
				shown.AppliedIndex = answer.GetAppliedIndex()
				return err
			})
			if err != nil {
				return err
			}
			return s.print(shown, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "Token %s is revoked at index %d\n", safe(shown.ID), shown.AppliedIndex)
				return err
			})
		},
	}
	command.Flags().StringVar(&requestID, "request-id", "", "repeat a change whose outcome was unknown, under its id")
	command.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return command
}
