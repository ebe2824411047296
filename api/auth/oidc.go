package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
)

// ErrJWT is wrapped by errors of Verify; the text says which check failed, never what the token holds.
var ErrJWT = errors.New("the OIDC token is not accepted")

// OIDCConfig says whose tokens are accepted.
type OIDCConfig struct {
	// Issuer is the provider's URL, exactly as its tokens spell it. Required.
	Issuer string
	// Audience is whom the tokens have to be for. Required.
	Audience string
	// Algorithms are those of signatures that are accepted; the default is RS256 and ES256.
	Algorithms []string
	// IdentityClaim names the bearer; default email. An email that the issuer calls unverified is refused.
	IdentityClaim string
	// GroupsClaim is a text or a list; default groups.
	GroupsClaim string
	// Authorities to trust instead of the system's when the provider is asked for its keys. May be nil.
	Authorities *x509.CertPool
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// OIDCAlgorithms are the algorithms that can be accepted: signatures with a public key alone.
func OIDCAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}
}

// issuerTimeout bounds how long the provider may take to answer.
const issuerTimeout = 5 * time.Second

// OIDC verifies the tokens of one provider. It asks the provider for its keys
// when it sees a token, not before: a provider that is down keeps no node from starting.
type OIDC struct {
	config OIDCConfig
	client *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
	// tried is when the issuer was last asked where its keys are.
	tried time.Time
}

// NewOIDC returns a verifier, or an error that wraps ErrConfig.
func NewOIDC(c OIDCConfig) (*OIDC, error) {
	if c.Issuer == "" || c.Audience == "" {
		return nil, fmt.Errorf("%w: OIDC needs an issuer and an audience", ErrConfig)
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"RS256", "ES256"}
	}
	for _, algorithm := range c.Algorithms {
		if !slices.Contains(OIDCAlgorithms(), algorithm) {
			return nil, fmt.Errorf("%w: OIDC algorithm %q", ErrConfig, algorithm)
		}
	}
	if c.IdentityClaim == "" {
		c.IdentityClaim = "email"
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = "groups"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: issuerTimeout, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Authorities},
	}
	return &OIDC{config: c, client: &http.Client{Transport: transport, Timeout: issuerTimeout}}, nil
}

// Verify checks a token's signature, issuer, audience and times.
func (o *OIDC) Verify(ctx context.Context, token string) (Claims, error) {
	if _, err := jose.ParseSignedCompact(token, o.algorithms()); err != nil {
		return Claims{}, fmt.Errorf("%w: it is no JWT, or is signed by an algorithm that is not accepted", ErrJWT)
	}
	verifier, err := o.ready(ctx)
	if err != nil {
		return Claims{}, err
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrJWT, redact(err))
	}
	return o.claims(verified)
}

func (o *OIDC) algorithms() []jose.SignatureAlgorithm {
	algorithms := make([]jose.SignatureAlgorithm, len(o.config.Algorithms))
	for i, a := range o.config.Algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	return algorithms
}

// ready finds out where the issuer's keys are, once.
func (o *OIDC) ready(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.verifier != nil {
		return o.verifier, nil
	}
	unreachable := fmt.Errorf("%w: the issuer %s cannot be asked for its keys", ErrJWT, o.config.Issuer)
	if now := o.config.Now(); now.Sub(o.tried) < issuerPause {
		return nil, unreachable
	}
	o.tried = o.config.Now()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.config.Issuer)
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err == nil {
		err = provider.Claims(&document)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", unreachable, err)
	}
	keys := &keySet{url: document.Keys, client: o.client, algorithms: o.algorithms(), now: o.config.Now}
	o.verifier = oidc.NewVerifier(o.config.Issuer, keys, &oidc.Config{
		ClientID: o.config.Audience, SupportedSigningAlgs: o.config.Algorithms, Now: o.config.Now,
	})
	return o.verifier, nil
}

// redact keeps of a library's error what kind it is: others may quote the token.
func redact(err error) error {
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return fmt.Errorf("it expired at %s", expired.Expiry.UTC().Format(time.RFC3339))
	}
	for _, known := range []error{errNotSigned, errUnknownKey} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("its issuer, audience or times are not right")
}

func (o *OIDC) claims(token *oidc.IDToken) (Claims, error) {
	all := map[string]json.RawMessage{}
	if err := token.Claims(&all); err != nil {
		return Claims{}, fmt.Errorf("%w: its claims are not readable", ErrJWT)
	}
	found := Claims{Identity: textClaim(all[o.config.IdentityClaim]), Groups: textsClaim(all[o.config.GroupsClaim])}
	if found.Identity == "" || len(found.Identity) > maxIdentity {
		return Claims{}, fmt.Errorf("%w: its claim %s names nobody", ErrJWT, o.config.IdentityClaim)
	}
	if o.config.IdentityClaim == "email" && string(all["email_verified"]) == "false" {
		return Claims{}, fmt.Errorf("%w: its email was not verified by the issuer", ErrJWT)
	}
	return found, nil
}

// Bounds of what is taken from a token, in bytes and in number.
const (
	maxIdentity = 256
	maxGroups   = 200
)

func textClaim(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// textsClaim reads a text or a list of texts; what is anything else is none.
func textsClaim(raw json.RawMessage) []string {
	if text := textClaim(raw); text != "" {
		return []string{text}
	}
	var texts []string
	if json.Unmarshal(raw, &texts) != nil || len(texts) > maxGroups {
		return nil
	}
	return texts
}
