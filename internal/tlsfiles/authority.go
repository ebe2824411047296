package tlsfiles

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// Pair is a certificate and its private key, both PEM. Keys are ECDSA P-256.
type Pair struct {
	Cert, Key []byte
}

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// skew is how much clocks may differ before a new certificate is refused.
const skew = 5 * time.Minute

// NewAuthority makes a self-signed authority that is valid from now for the given time.
func NewAuthority(name string, now time.Time, valid time.Duration) (Pair, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return issue(template, nil, now, valid)
}

// OpenAuthority reads an authority that NewAuthority made. Certificates are valid from now.
func OpenAuthority(p Pair, now time.Time) (*Authority, error) {
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: the authority: %w", ErrIssue, err)
	}
	key, isECDSA := pair.PrivateKey.(*ecdsa.PrivateKey)
	switch {
	case !isECDSA:
		return nil, fmt.Errorf("%w: the authority's key is not ECDSA", ErrIssue)
	case !pair.Leaf.IsCA:
		return nil, fmt.Errorf("%w: %q is no authority", ErrIssue, pair.Leaf.Subject.CommonName)
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("%w: the authority: %w: it expired at %s", ErrIssue, ErrExpired, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return &Authority{cert: pair.Leaf, key: key, now: now}, nil
}

// IssueServer makes a node's certificate: it carries the cluster's server role,
// is known by the hosts (names or addresses) and as localhost, and serves as
// client too, because nodes call each other.
func (a *Authority) IssueServer(cluster string, hosts []string, valid time.Duration) (Pair, error) {
	role := ServerRole(cluster)
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: role},
		DNSNames:    []string{role, "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return issue(template, a, a.now, valid)
}

// IssueClient makes a certificate for a person or a program: identity is its
// common name, roles are what RoleURI makes, and it is good for dialling only.
func (a *Authority) IssueClient(identity string, valid time.Duration, roles ...*url.URL) (Pair, error) {
	if identity == "" {
		return Pair{}, fmt.Errorf("%w: a client needs an identity", ErrIssue)
	}
	return issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: identity},
		URIs:        roles,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a, a.now, valid)
}

// issue signs template; without an authority it is its own.
func issue(template *x509.Certificate, by *Authority, now time.Time, valid time.Duration) (Pair, error) {
	if valid <= 0 {
		return Pair{}, fmt.Errorf("%w: valid for %v", ErrIssue, valid)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("%w: %w", ErrIssue, err)
	}
	template.NotBefore, template.NotAfter = now.Add(-skew), now.Add(valid)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
		if template.NotAfter.After(parent.NotAfter) {
			template.NotAfter = parent.NotAfter // longer would be a promise that cannot be kept
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return Pair{}, fmt.Errorf("%w: %w", ErrIssue, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("%w: %w", ErrIssue, err)
	}
	return Pair{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// Write makes both files, the key with mode 0600. Neither may exist: a key is never overwritten.
func (p Pair) Write(certFile, keyFile string) error {
	if err := create(keyFile, p.Key, 0o600); err != nil {
		return err
	}
	if err := create(certFile, p.Cert, 0o644); err != nil {
		return errors.Join(err, os.Remove(keyFile))
	}
	return nil
}

func create(path string, data []byte, mode os.FileMode) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	return nil
}

// Leaf reads the certificate.
func (p Pair) Leaf() (*x509.Certificate, error) {
	block, _ := pem.Decode(p.Cert)
	if block == nil {
		return nil, fmt.Errorf("%w: it is no PEM", ErrFile)
	}
	return x509.ParseCertificate(block.Bytes)
}
