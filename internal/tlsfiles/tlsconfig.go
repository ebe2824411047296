package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// ClientCerts says what a server asks of its clients.
type ClientCerts int

const (
	// NoClientCerts are asked for.
	NoClientCerts ClientCerts = iota
	// OptionalClientCerts are verified when they are shown.
	OptionalClientCerts
	// RequireClientCerts refuses clients without one.
	RequireClientCerts
)

// ServerConfig returns a configuration for TLS 1.3 that follows the files.
// Clients' certificates are verified against CAFile; with a role they must carry
// it, see CheckRole. Protocols are those of ALPN and must all be named here
// ("h2" for gRPC): what a library adds to the result later is not seen.
func (s *Source) ServerConfig(clients ClientCerts, role string, protocols ...string) (*tls.Config, error) {
	m := s.material()
	switch {
	case m.cert == nil:
		return nil, fmt.Errorf("%w: a server needs a certificate", ErrFile)
	case clients != NoClientCerts && m.pool == nil:
		return nil, fmt.Errorf("%w: clients' certificates need a CA file", ErrFile)
	case role != "" && clients == NoClientCerts:
		return nil, fmt.Errorf("%w: a role needs clients' certificates", ErrRole)
	}
	base := &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: protocols,
		// A resumed session would outlive the authority that vouched for its peer.
		SessionTicketsDisabled: true,
		Time:                   s.config.Now,
		ClientAuth:             clientAuth(clients),
	}
	if role != "" {
		base.VerifyConnection = func(state tls.ConnectionState) error {
			if clients == OptionalClientCerts && len(state.PeerCertificates) == 0 {
				return nil
			}
			return CheckPeer(state, role)
		}
	}
	// Certificates and ClientCAs are set anew for each handshake; here they are for those who look without one.
	base.Certificates, base.ClientCAs = []tls.Certificate{*m.cert}, m.pool
	config := base.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := s.material()
		fresh := base.Clone()
		fresh.Certificates, fresh.ClientCAs = []tls.Certificate{*now.cert}, now.pool
		return fresh, nil
	}
	return config, nil
}

func clientAuth(clients ClientCerts) tls.ClientAuthType {
	switch clients {
	case RequireClientCerts:
		return tls.RequireAndVerifyClientCert
	case OptionalClientCerts:
		return tls.VerifyClientCertIfGiven
	default:
		return tls.NoClientCert
	}
}

// PeerConfig returns a configuration to dial servers of a role, whatever address
// they have, that follows the files: the own certificate is shown if there is
// one, and the server's is verified against CAFile and must carry the role.
func (s *Source) PeerConfig(role string, protocols ...string) (*tls.Config, error) {
	if s.material().pool == nil {
		return nil, fmt.Errorf("%w: servers' certificates need a CA file", ErrFile)
	}
	if role == "" {
		return nil, fmt.Errorf("%w: none is named", ErrRole)
	}
	config := s.clientConfig(protocols)
	config.ServerName = role
	// The built-in check keeps the authorities of the first day. VerifyConnection
	// makes the same checks with those of the handshake's day.
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if err := s.verify(state.PeerCertificates, x509.ExtKeyUsageServerAuth); err != nil {
			return fmt.Errorf("server's certificate: %w", err)
		}
		return CheckRole(state.PeerCertificates[0], role)
	}
	return config, nil
}

// ClientConfig returns a configuration to dial servers by their own names, for
// programs that run briefly: the authorities are those of this moment, the
// system's when no CAFile is named.
func (s *Source) ClientConfig(protocols ...string) *tls.Config {
	config := s.clientConfig(protocols)
	config.RootCAs = s.material().pool
	return config
}

func (s *Source) clientConfig(protocols []string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: protocols,
		Time:       s.config.Now,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if cert := s.material().cert; cert != nil {
				return cert, nil
			}
			return &tls.Certificate{}, nil // shows none
		},
	}
}
