package auth

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

func (a *Authenticator) byCertificate(state tls.ConnectionState, to *admin.Identity) error {
	leaf := state.PeerCertificates[0]
	if now := a.config.Now(); now.After(leaf.NotAfter) {
		return fmt.Errorf("%w: it expired at %s", ErrCertificate, leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if a.config.Trusted != nil {
		if err := a.config.Trusted(state); err != nil {
			return fmt.Errorf("%w: %w", ErrCertificate, err)
		}
	}
	name := certificateName(leaf)
	if name == "" {
		return fmt.Errorf("%w: it has neither a common name nor a URI that names its owner", ErrCertificate)
	}
	to.Name, to.Authentication = name, ByCertificate
	grants, configured := a.identities[strings.ToLower(name)]
	if !configured {
		to.Groups = certificateRoles(leaf, a.config.Cluster)
		grants = a.certified(to.Groups)
	}
	to.Roles = grants
	return nil
}

// certified are the roles that a certificate carries; what is no role is none.
func (a *Authenticator) certified(roles []string) Grants {
	grants := Grants{}
	for _, role := range roles {
		if one, err := ParseGrants(role); err == nil {
			grants.join(one)
		}
	}
	return grants
}

// certificateName is the first URI that is no role, such as a SPIFFE id, or else the common name.
func certificateName(leaf *x509.Certificate) string {
	for _, uri := range leaf.URIs {
		if uri.Scheme != tlsfiles.RoleScheme {
			return uri.String()
		}
	}
	return leaf.Subject.CommonName
}

// certificateRoles are the roles in one cluster that a certificate carries, as ParseGrants reads them.
func certificateRoles(leaf *x509.Certificate, cluster string) []string {
	var roles []string
	for _, uri := range leaf.URIs {
		if role, ok := certificateRole(uri, cluster); ok {
			roles = append(roles, role)
		}
	}
	return roles
}

// certificateRole reads honua://<cluster>/<role>/<environment>; "*" is every environment.
func certificateRole(uri *url.URL, cluster string) (string, bool) {
	role, environment, found := strings.Cut(strings.TrimPrefix(uri.Path, "/"), "/")
	if uri.Scheme != tlsfiles.RoleScheme || uri.Host != cluster || !found || environment == "" {
		return "", false
	}
	return role + "@" + environment, true
}
