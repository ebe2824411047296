package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// rig is an authenticator over a cluster that has one token.
type rig struct {
	*Authenticator
	node  *admintest.Node
	token string
	id    string
	now   time.Time
	// node says whose connections are a node's, trusted what is wrong with others.
	isNode  bool
	trusted error
	admin   string
}

type verified struct {
	claims Claims
	err    error
}

func (v verified) Verify(context.Context, string) (Claims, error) { return v.claims, v.err }

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{node: admintest.New(t), now: admintest.Epoch, admin: "break-glass-token-of-admins"}
	a, err := New(Config{
		Tokens: r.node.Store(), Cluster: "gis", Now: func() time.Time { return r.now },
		Node:       func(tls.ConnectionState) bool { return r.isNode },
		Trusted:    func(tls.ConnectionState) error { return r.trusted },
		AdminToken: func() (string, error) { return r.admin, nil },
		Identities: map[string]Grants{"Alice": {"*": admin.Viewer}, "nobody": {}, "olga@example.org": {"staging": admin.Deployer}},
		Groups:     map[string]Grants{"gis-approvers": {"production": admin.Approver}},
		OIDC:       verified{claims: Claims{Identity: "olga@example.org", Groups: []string{"gis-approvers", "others"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Authenticator = a
	r.token, err = NewToken()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := HashToken(r.token)
	if err != nil {
		t.Fatal(err)
	}
	r.id = fsm.TokenID(hash)
	result := r.node.Apply(fsm.Header{RequestID: "r1", IssuedAt: r.now.UnixMilli(), Caller: &pb.Caller{Identity: "root"}},
		&pb.Payload{Command: &pb.Payload_CreateToken{CreateToken: &pb.CreateTokenCommand{
			Hash: hash[:], Identity: "ci", ExpiresAtMs: r.now.Add(time.Hour).UnixMilli(),
			Grants: []*pb.GrantValue{{Environment: "production", Role: pb.RoleValue_ROLE_VALUE_DEPLOYER}},
		}}})
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) revoke(t *testing.T) {
	t.Helper()
	result := r.node.Apply(fsm.Header{RequestID: "r2", IssuedAt: r.now.UnixMilli(), Caller: &pb.Caller{Identity: "root"}},
		&pb.Payload{Command: &pb.Payload_RevokeToken{RevokeToken: &pb.RevokeTokenCommand{TokenId: r.id}}})
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
}

// shown is a call with a token and a certificate; either may be missing.
func shown(token string, leaf *x509.Certificate) context.Context {
	p := &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}}
	if leaf != nil {
		p.AuthInfo = credentials.TLSInfo{State: tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}},
		}}
	}
	ctx := peer.NewContext(context.Background(), p)
	if token != "" {
		ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", "Bearer "+token))
	}
	return ctx
}

func certificate(name string, uris ...*url.URL) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, URIs: uris, NotAfter: admintest.Epoch.Add(2 * time.Hour)}
}

func TestIdentify(t *testing.T) {
	approver := tlsfiles.RoleURI("gis", "approver", "production")
	foreign := tlsfiles.RoleURI("other", "admin", "*")
	spiffe := &url.URL{Scheme: "spiffe", Host: "example.org", Path: "/ci"}
	for name, test := range map[string]struct {
		ctx  func(*rig) context.Context
		want admin.Identity
		err  error
	}{
		"nothing":     {func(*rig) context.Context { return shown("", nil) }, admin.Identity{}, ErrNoCredentials},
		"token":       {func(r *rig) context.Context { return shown(r.token, nil) }, admin.Identity{Name: "ci", Authentication: "token", Roles: Grants{"production": admin.Deployer}}, nil},
		"other token": {func(*rig) context.Context { return shown(TokenPrefix+"aaaa", nil) }, admin.Identity{}, ErrUnknownToken},
		"admin token": {func(r *rig) context.Context { return shown(r.admin, nil) }, admin.Identity{Name: "admin-token", Authentication: "token", Roles: Grants{"*": admin.Admin}}, nil},
		"certificate without roles": {func(*rig) context.Context { return shown("", certificate("bob")) },
			admin.Identity{Name: "bob", Authentication: "certificate", Roles: Grants{}}, nil},
		"certificate with a role": {func(*rig) context.Context { return shown("", certificate("bob", approver)) },
			admin.Identity{Name: "bob", Authentication: "certificate", Roles: Grants{"production": admin.Approver}}, nil},
		"role in another cluster": {func(*rig) context.Context { return shown("", certificate("bob", foreign)) },
			admin.Identity{Name: "bob", Authentication: "certificate", Roles: Grants{}}, nil},
		"configured roles replace those inside": {func(*rig) context.Context { return shown("", certificate("ALICE", approver)) },
			admin.Identity{Name: "ALICE", Authentication: "certificate", Roles: Grants{"*": admin.Viewer}}, nil},
		"configured without a role": {func(*rig) context.Context { return shown("", certificate("nobody", approver)) },
			admin.Identity{Name: "nobody", Authentication: "certificate", Roles: Grants{}}, nil},
		"a URI names":         {func(*rig) context.Context { return shown("", certificate("bob", spiffe, approver)) }, admin.Identity{Name: "spiffe://example.org/ci", Authentication: "certificate", Roles: Grants{"production": admin.Approver}}, nil},
		"certificate of none": {func(*rig) context.Context { return shown("", certificate("")) }, admin.Identity{}, ErrCertificate},
		"token before certificate": {func(r *rig) context.Context { return shown(r.token, certificate("ALICE")) },
			admin.Identity{Name: "ci", Authentication: "token", Roles: Grants{"production": admin.Deployer}}, nil},
		"OIDC": {func(*rig) context.Context { return shown("a.b.c", nil) },
			admin.Identity{Name: "olga@example.org", Authentication: "oidc", Roles: Grants{"production": admin.Approver, "staging": admin.Deployer}}, nil},
		"expired token": {func(r *rig) context.Context { r.now = r.now.Add(time.Hour); return shown(r.token, nil) }, admin.Identity{}, ErrExpiredToken},
		"expired since": {func(r *rig) context.Context {
			r.now = r.now.Add(3 * time.Hour)
			return shown("", certificate("bob", approver))
		}, admin.Identity{}, ErrCertificate},
		"no longer trusted": {func(r *rig) context.Context {
			r.trusted = errors.New("unknown authority")
			return shown("", certificate("bob"))
		}, admin.Identity{}, ErrCertificate},
		"a node":         {func(r *rig) context.Context { r.isNode = true; return shown("", certificate("n2")) }, admin.Identity{Name: "node", Authentication: "node", Node: true}, nil},
		"no admin token": {func(r *rig) context.Context { r.admin = ""; return shown("break-glass-token-of-admins", nil) }, admin.Identity{}, ErrUnknownToken},
		"two headers": {func(*rig) context.Context {
			return metadata.NewIncomingContext(shown("", nil), metadata.Pairs("authorization", "Bearer a", "authorization", "Bearer b"))
		}, admin.Identity{}, ErrHeader},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			got, err := r.Identify(test.ctx(r))
			if !errors.Is(err, test.err) || test.err == nil && err != nil {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err != nil {
				return
			}
			if got.Name != test.want.Name || got.Authentication != test.want.Authentication || got.Node != test.want.Node ||
				got.Source != "192.0.2.7:4711" || len(got.Roles) != len(test.want.Roles) {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			for environment, role := range test.want.Roles {
				if got.Roles[environment] != role {
					t.Errorf("in %s %s, want %s", environment, got.Roles[environment], role)
				}
			}
		})
	}
}

// A token works on a node that has not heard of it yet; only such a one is asked about.
func TestTokenMadeElsewhereJustNow(t *testing.T) {
	r := newRig(t)
	behind, asked := fsm.NewStore(fsm.New()), 0
	var unreachable error
	a, err := New(Config{
		Tokens: behind, Cluster: "gis", Now: func() time.Time { return r.now },
		Current: func(ctx context.Context) (*fsm.State, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("it may wait for ever")
			}
			asked++
			return r.node.Store().State(), unreachable
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	identify := func(token string, want error, questions int) {
		t.Helper()
		got, err := a.Identify(shown(token, nil))
		if !errors.Is(err, want) || (err == nil) != (want == nil) || err == nil && got.Name != "ci" || asked != questions {
			t.Fatalf("%+v, %v after %d questions, want %v after %d", got, err, asked, want, questions)
		}
	}
	identify(r.token, nil, 1)
	other, err := NewToken()
	if err != nil {
		t.Fatal(err)
	}
	identify(other, ErrUnknownToken, 2)
	identify("no-token-of-a-cluster", ErrUnknownToken, 2)
	unreachable = errors.New("no leader")
	identify(r.token, ErrUnknownToken, 3)
	behind.Replace(r.node.Store().State())
	identify(r.token, nil, 3)
	r.revoke(t)
	unreachable = nil
	behind.Replace(r.node.Store().State())
	identify(r.token, ErrUnknownToken, 4)
}

// A revocation that this node has applied holds for the next call.
func TestRevocationHoldsAtOnce(t *testing.T) {
	r := newRig(t)
	if _, err := r.Identify(shown(r.token, nil)); err != nil {
		t.Fatal(err)
	}
	r.revoke(t)
	if _, err := r.Identify(shown(r.token, nil)); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("%v", err)
	}
}

// What another node let in is decided again by who asked, with what this node knows.
func TestAgain(t *testing.T) {
	for name, test := range map[string]struct {
		caller *pb.Caller
		before func(*testing.T, *rig)
		roles  Grants
		err    error
	}{
		"token":                 {&pb.Caller{Identity: "ci", Authentication: "token", TokenId: "ID"}, nil, Grants{"production": admin.Deployer}, nil},
		"revoked token":         {&pb.Caller{Identity: "ci", Authentication: "token", TokenId: "ID"}, func(t *testing.T, r *rig) { r.revoke(t) }, nil, ErrUnknownToken},
		"expired token":         {&pb.Caller{Identity: "ci", Authentication: "token", TokenId: "ID"}, func(_ *testing.T, r *rig) { r.now = r.now.Add(time.Hour) }, nil, ErrExpiredToken},
		"token of another":      {&pb.Caller{Identity: "root", Authentication: "token", TokenId: "ID"}, nil, nil, ErrUnknownToken},
		"admin token":           {&pb.Caller{Identity: "admin-token", Authentication: "token"}, nil, Grants{"*": admin.Admin}, nil},
		"token without id":      {&pb.Caller{Identity: "ci", Authentication: "token"}, nil, nil, ErrUnknownToken},
		"certificate":           {&pb.Caller{Identity: "bob", Authentication: "certificate", Groups: []string{"approver@production"}}, nil, Grants{"production": admin.Approver}, nil},
		"configured":            {&pb.Caller{Identity: "alice", Authentication: "certificate", Groups: []string{"admin@*"}}, nil, Grants{"*": admin.Viewer}, nil},
		"OIDC":                  {&pb.Caller{Identity: "x", Authentication: "oidc", Groups: []string{"gis-approvers"}}, nil, Grants{"production": admin.Approver}, nil},
		"anonymous":             {&pb.Caller{Identity: "root", Authentication: "none"}, nil, nil, ErrNoCredentials},
		"a way nobody heard of": {&pb.Caller{Identity: "root", Authentication: "magic"}, nil, nil, ErrNoCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if test.caller.GetTokenId() != "" {
				test.caller.TokenId = r.id
			}
			if test.before != nil {
				test.before(t, r)
			}
			got, err := r.Again(test.caller)
			if !errors.Is(err, test.err) || test.err == nil && err != nil {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			for environment, role := range test.roles {
				if got.Roles[environment] != role || len(got.Roles) != len(test.roles) {
					t.Errorf("roles %v, want %v", got.Roles, test.roles)
				}
			}
		})
	}
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	for _, c := range []Config{{}, {Cluster: "gis"}} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%v", err)
		}
	}
}
