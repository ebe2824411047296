package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// provider is a local OpenID Connect provider.
type provider struct {
	t      *testing.T
	server *httptest.Server

	mu   sync.Mutex
	keys []jose.JSONWebKey
	// asked counts how often the keys were fetched.
	asked int
	down  bool
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, map[string]any{"issuer": p.server.URL, "jwks_uri": p.server.URL + "/keys", "authorization_endpoint": p.server.URL + "/a", "token_endpoint": p.server.URL + "/t"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		p.asked++
		public := jose.JSONWebKeySet{}
		for _, k := range p.keys {
			public.Keys = append(public.Keys, k.Public())
		}
		p.mu.Unlock()
		p.answer(w, public)
	})
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) answer(w http.ResponseWriter, body any) {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (p *provider) newKey(id, algorithm string) jose.JSONWebKey {
	p.t.Helper()
	var private crypto.Signer
	var err error
	if strings.HasPrefix(algorithm, "ES") {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return jose.JSONWebKey{Key: private, KeyID: id, Algorithm: algorithm, Use: "sig"}
}

func (p *provider) publish(keys ...jose.JSONWebKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

func (p *provider) fetched() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *provider) sign(key jose.JSONWebKey, claims map[string]any) string {
	p.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

var moment = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func (p *provider) claims(alter func(map[string]any)) map[string]any {
	claims := map[string]any{
		"iss": p.server.URL, "aud": "honua", "sub": "1234", "email": "olga@example.org", "email_verified": true,
		"iat": moment.Add(-time.Minute).Unix(), "exp": moment.Add(time.Hour).Unix(), "groups": []string{"gis-approvers"},
	}
	if alter != nil {
		alter(claims)
	}
	return claims
}

func (p *provider) verifier(now *time.Time, alter func(*OIDCConfig)) *OIDC {
	p.t.Helper()
	c := OIDCConfig{Issuer: p.server.URL, Audience: "honua", Now: func() time.Time { return *now }}
	if alter != nil {
		alter(&c)
	}
	o, err := NewOIDC(c)
	if err != nil {
		p.t.Fatal(err)
	}
	return o
}

func TestOIDCChecks(t *testing.T) {
	p := newProvider(t)
	key, elliptic := p.newKey("k1", "RS256"), p.newKey("k2", "ES256")
	p.publish(key, elliptic)
	stranger := p.newKey("k1", "RS256")
	secret := jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "k1", Algorithm: "HS256"}
	// Whoever verifies with "the issuer's key" by the token's own algorithm takes this one for signed.
	modulus, err := x509.MarshalPKIXPublicKey(key.Public().Key)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: modulus}), KeyID: "k1", Algorithm: "HS256"}
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) {
			claims[name] = value
			if value == nil {
				delete(claims, name)
			}
		}
	}
	tests := map[string]struct {
		token string
		ok    bool
	}{
		"good":                 {p.sign(key, p.claims(nil)), true},
		"ES256":                {p.sign(elliptic, p.claims(nil)), true},
		"one of two audiences": {p.sign(key, p.claims(set("aud", []string{"other", "honua"}))), true},
		"another audience":     {p.sign(key, p.claims(set("aud", "other"))), false},
		"another issuer":       {p.sign(key, p.claims(set("iss", "https://other.example.org"))), false},
		"expired":              {p.sign(key, p.claims(set("exp", moment.Add(-time.Second).Unix()))), false},
		"without end":          {p.sign(key, p.claims(set("exp", nil))), false},
		"not yet":              {p.sign(key, p.claims(set("nbf", moment.Add(time.Hour).Unix()))), false},
		"signed by another":    {p.sign(stranger, p.claims(nil)), false},
		"nobody":               {p.sign(key, p.claims(set("email", nil))), false},
		"unverified email":     {p.sign(key, p.claims(set("email_verified", false))), false},
		"public key as secret": {p.sign(public, p.claims(nil)), false},
		"symmetric":            {p.sign(secret, p.claims(nil)), false},
		"algorithm none":       {"eyJhbGciOiJub25lIn0.e30.", false},
		"garbage":              {"a.b.c", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now := moment
			claims, err := p.verifier(&now, nil).Verify(t.Context(), test.token)
			if test.ok && (err != nil || claims.Identity != "olga@example.org" || len(claims.Groups) != 1) {
				t.Errorf("%+v, %v", claims, err)
			}
			if !test.ok && !errors.Is(err, ErrJWT) {
				t.Errorf("%+v, %v", claims, err)
			}
			if err != nil && strings.Contains(err.Error(), test.token) {
				t.Error("the error quotes the token")
			}
		})
	}
}

// A key that is new at the issuer is accepted; one that the issuer has
// withdrawn is not for long.
func TestOIDCKeysRotate(t *testing.T) {
	p, now := newProvider(t), moment
	old, fresh := p.newKey("old", "RS256"), p.newKey("fresh", "RS256")
	p.publish(old)
	o := p.verifier(&now, nil)
	verify := func(key jose.JSONWebKey) error {
		t.Helper()
		_, err := o.Verify(t.Context(), p.sign(key, p.claims(nil)))
		return err
	}
	if err := verify(old); err != nil {
		t.Fatal(err)
	}
	if err := verify(fresh); !errors.Is(err, ErrJWT) {
		t.Errorf("a key that was not published: %v", err)
	}
	p.publish(fresh)
	now = now.Add(issuerPause)
	if err := verify(fresh); err != nil {
		t.Errorf("the new key: %v", err)
	}
	now = now.Add(keysKept)
	if err := verify(old); !errors.Is(err, ErrJWT) {
		t.Errorf("the key that was withdrawn: %v", err)
	}
}

// Tokens with invented keys do not make this node ask the issuer each time.
func TestOIDCIsNotAskedAtWill(t *testing.T) {
	p, now := newProvider(t), moment
	key, invented := p.newKey("k1", "RS256"), p.newKey("invented", "RS256")
	p.publish(key)
	o := p.verifier(&now, nil)
	for range 50 {
		if _, err := o.Verify(t.Context(), p.sign(invented, p.claims(nil))); !errors.Is(err, ErrJWT) {
			t.Fatal(err)
		}
	}
	if p.fetched() > 1 {
		t.Errorf("the issuer was asked %d times", p.fetched())
	}
	if _, err := o.Verify(t.Context(), p.sign(key, p.claims(nil))); err != nil {
		t.Errorf("a good token suffers: %v", err)
	}
}

// An issuer that is down keeps tokens out, and those that are known in.
func TestOIDCWithoutIssuer(t *testing.T) {
	p, now := newProvider(t), moment
	key := p.newKey("k1", "RS256")
	p.publish(key)
	p.down = true
	o := p.verifier(&now, nil)
	token := p.sign(key, p.claims(nil))
	if _, err := o.Verify(t.Context(), token); !errors.Is(err, ErrJWT) {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	now = now.Add(issuerPause)
	if _, err := o.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	p.server.Close()
	now = now.Add(keysKept)
	if _, err := o.Verify(t.Context(), token); err != nil {
		t.Errorf("the issuer went down: %v", err)
	}
}

func TestOIDCConfig(t *testing.T) {
	for _, c := range []OIDCConfig{{}, {Issuer: "https://x"}, {Issuer: "https://x", Audience: "y", Algorithms: []string{"HS256"}}} {
		if _, err := NewOIDC(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Whatever arrives as a JWT is refused in order.
func FuzzVerify(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "..", "e30.e30.e30"} {
		f.Add(seed)
	}
	now := moment
	o, err := NewOIDC(OIDCConfig{Issuer: "http://127.0.0.1:1", Audience: "honua", Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	o.tried = now // nobody is asked
	f.Fuzz(func(t *testing.T, token string) {
		if claims, err := o.Verify(t.Context(), token); !errors.Is(err, ErrJWT) {
			t.Errorf("%q is accepted as %+v: %v", token, claims, err)
		}
	})
}

// Claims of any shape are read or left out.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{`"a"`, `["a","b"]`, `{}`, `null`, `[1]`, `[["a"]]`, `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if texts := textsClaim(raw); len(texts) > maxGroups {
			t.Errorf("%d groups", len(texts))
		}
	})
}
