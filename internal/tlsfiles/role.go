package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
)

// ServerRole is the DNS name that makes a certificate a server of the cluster.
func ServerRole(cluster string) string { return "server." + cluster + ".honua" }

// RoleScheme is the scheme of URIs that give a client a role.
const RoleScheme = "honua"

// RoleURI is the name by which a client's certificate carries a role in one
// environment of a cluster; "*" is every environment.
func RoleURI(cluster, role, environment string) *url.URL {
	return &url.URL{Scheme: RoleScheme, Host: cluster, Path: "/" + role + "/" + environment}
}

// CheckRole reports ErrRole unless the certificate carries role as a DNS name, exactly: a wildcard is no role.
func CheckRole(cert *x509.Certificate, role string) error {
	if cert == nil || !slices.Contains(cert.DNSNames, role) {
		return fmt.Errorf("%w %s", ErrRole, role)
	}
	return nil
}

// CheckPeer is CheckRole of the peer at the other end of a connection, whose chain was verified.
func CheckPeer(state tls.ConnectionState, role string) error {
	if len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return fmt.Errorf("%w %s: the peer showed no certificate", ErrRole, role)
	}
	return CheckRole(state.VerifiedChains[0][0], role)
}
