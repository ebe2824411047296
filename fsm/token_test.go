package fsm_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func tokenHash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func approverToken(text string, expires int64) *pb.CreateTokenCommand {
	return &pb.CreateTokenCommand{
		Hash: tokenHash(text), Identity: "bob", ExpiresAtMs: expires, Description: "for the night shift",
		Grants: []*pb.GrantValue{
			{Environment: "production", Role: pb.RoleValue_ROLE_VALUE_APPROVER}, {Environment: "*", Role: pb.RoleValue_ROLE_VALUE_VIEWER},
		},
	}
}

// bearer asks for something with a token.
func (l *lab) bearer(tokenID string, command *pb.PauseCommand) fsm.Result {
	l.t.Helper()
	l.calls++
	return l.apply(fsm.Header{
		RequestID: fmt.Sprintf("request-%d", l.calls), IssuedAt: l.now, Proposer: "a", ProposedAt: l.now,
		Caller: &pb.Caller{Identity: "bob", Authentication: "token", Source: "192.0.2.7", TokenId: tokenID},
	}, command)
}

func TestTokensAreKnownByTheirHash(t *testing.T) {
	l := newLab(t)
	result := l.ask("alice", approverToken("secret", l.now+hour))
	l.ok(result)
	id := fsm.TokenID([32]byte(tokenHash("secret")))
	token := l.state.Token(id)
	if token == nil || result.Message != id {
		t.Fatalf("token %v, result %+v", token, result)
	}
	if token.Identity != "bob" || token.CreatedBy != "alice" || token.Created != l.now || token.Expires != l.now+hour || len(token.Grants) != 2 {
		t.Errorf("%+v", token)
	}
	record := lastAudit(l)
	if record.Action != "token.create" || record.Actor != "alice" || record.Object != id || !strings.Contains(record.Detail, "approver@production") {
		t.Errorf("%+v", record)
	}
	l.refused(l.ask("alice", approverToken("secret", l.now+hour)), fsm.ClassExists, "token_exists")
	own := approverToken("another", l.now+hour)
	own.Identity = ""
	l.ok(l.ask("carol", own))
	if token := l.state.Token(fsm.TokenID([32]byte(own.GetHash()))); token.Identity != "carol" {
		t.Errorf("the bearer is %q", token.Identity)
	}
}

func lastAudit(l *lab) *fsm.AuditRecord {
	l.t.Helper()
	for r := range l.state.AuditBack(^uint64(0)) {
		return r
	}
	l.t.Fatal("no record")
	return nil
}

// What arrived with a token that is revoked, or has expired, before it is
// executed is refused: revocation takes effect at one point of the log.
func TestRevokedTokensActNoMore(t *testing.T) {
	l := newLab(t)
	l.ok(l.ask("alice", approverToken("secret", l.now+hour)))
	id := fsm.TokenID([32]byte(tokenHash("secret")))
	pause := &pb.PauseCommand{Environment: "production", Reason: "r"}
	l.ok(l.bearer(id, pause))
	l.now += hour
	l.refused(l.bearer(id, pause), fsm.ClassDenied, "token_expired")
	l.refused(l.ask("alice", &pb.RevokeTokenCommand{TokenId: "nonsense"}), fsm.ClassNotFound, "unknown_token")
	l.ok(l.ask("alice", &pb.RevokeTokenCommand{TokenId: id, Reason: "lost"}))
	if r := lastAudit(l); r.Action != "token.revoke" || r.Object != id || r.Reason != "lost" {
		t.Errorf("%+v", r)
	}
	l.refused(l.bearer(id, pause), fsm.ClassDenied, "token_revoked")
}

func TestBadTokensAreRefused(t *testing.T) {
	l := newLab(t)
	for name, test := range map[string]struct {
		alter  func(*pb.CreateTokenCommand)
		reason string
	}{
		"short hash":       {func(c *pb.CreateTokenCommand) { c.Hash = c.Hash[:31] }, "bad_hash"},
		"expired":          {func(c *pb.CreateTokenCommand) { c.ExpiresAtMs = l.now }, "expired"},
		"lives too long":   {func(c *pb.CreateTokenCommand) { c.ExpiresAtMs = l.now + 367*24*hour }, "lives_too_long"},
		"no role":          {func(c *pb.CreateTokenCommand) { c.Grants = nil }, "bad_grants"},
		"too many roles":   {func(c *pb.CreateTokenCommand) { c.Grants = make([]*pb.GrantValue, 101) }, "bad_grants"},
		"unknown role":     {func(c *pb.CreateTokenCommand) { c.Grants[0].Role = 9 }, "bad_role"},
		"no environment":   {func(c *pb.CreateTokenCommand) { c.Grants[0].Environment = "" }, "bad_environment"},
		"control in name":  {func(c *pb.CreateTokenCommand) { c.Identity = "a\nb" }, "bad_identity"},
		"long description": {func(c *pb.CreateTokenCommand) { c.Description = strings.Repeat("x", 1025) }, "bad_description"},
	} {
		t.Run(name, func(t *testing.T) {
			command := approverToken(name, l.now+hour)
			test.alter(command)
			l.refused(l.ask("alice", command), fsm.ClassInvalid, test.reason)
		})
	}
}

// The number of tokens is bounded; what has expired long ago makes room.
func TestTokensAreBounded(t *testing.T) {
	l := newLab(t)
	for i := range 1000 {
		l.ok(l.ask("alice", approverToken(fmt.Sprint(i), l.now+hour)))
	}
	l.refused(l.ask("alice", approverToken("one more", l.now+hour)), fsm.ClassExhausted, "too_many_tokens")
	l.now += 8 * 24 * hour
	l.ok(l.ask("alice", approverToken("one more", l.now+hour)))
	left := 0
	for range l.state.Tokens() {
		left++
	}
	if left != 1 {
		t.Errorf("%d tokens are left", left)
	}
}

func TestActionsOnRecord(t *testing.T) {
	l := newLab(t)
	l.ok(l.ask("alice", &pb.RecordActionCommand{Action: "gossip_key.use", Object: "0123", Detail: "nodes=3"}))
	if r := lastAudit(l); r.Action != "gossip_key.use" || r.Actor != "alice" || r.Object != "0123" || r.Detail != "nodes=3" {
		t.Errorf("%+v", r)
	}
	l.refused(l.ask("alice", &pb.RecordActionCommand{Action: "deployment.approve"}), fsm.ClassInvalid, "bad_action")
}
