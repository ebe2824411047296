package security

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/honua-io/honua-gitops/test/harness"
)

// issuer is an OpenID Connect provider on loopback.
type issuer struct {
	t   *testing.T
	url string
	key jose.JSONWebKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: jose.JSONWebKey{Key: private, KeyID: "one", Algorithm: "ES256", Use: "sig"}}
	mux := http.NewServeMux()
	answer := func(path string, value func() any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value())
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys", "authorization_endpoint": i.url + "/a", "token_endpoint": i.url + "/t"}
	})
	answer("/keys", func() any { return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}} })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// settings are Auth.Oidc for this provider.
func (i *issuer) settings() harness.Section {
	return harness.Section{
		"Issuer": i.url, "Audience": "honua", "Algorithms": []string{"ES256"},
		"Groups": harness.Section{"gis-approvers": harness.Section{"Roles": []string{"viewer"}}},
	}
}

// token is signed for somebody of the group gis-approvers, and is valid from now on for a time.
func (i *issuer) token(name string, valid time.Duration) string {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{
		"iss": i.url, "aud": "honua", "sub": name, "email": name, "email_verified": true,
		"iat": time.Now().Add(-time.Hour).Unix(), "exp": time.Now().Add(valid).Unix(), "groups": []string{"gis-approvers"},
	})
	if err != nil {
		i.t.Fatal(err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}
