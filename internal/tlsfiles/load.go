package tlsfiles

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Files names PEM files. CertFile and KeyFile go together; CAFile may stand alone.
type Files struct {
	CAFile, CertFile, KeyFile string
}

// material is what the files held at one time. Immutable.
type material struct {
	cert *tls.Certificate // nil without CertFile
	pool *x509.CertPool   // nil without CAFile
	// authorities identifies what is in pool.
	authorities string
}

// load reads and checks all files. It fails as a whole, so that a certificate never meets another one's key.
func (f Files) load(now time.Time) (*material, error) {
	m := &material{}
	if f.CAFile != "" {
		data, err := os.ReadFile(f.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFile, err)
		}
		m.pool = x509.NewCertPool()
		if !m.pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%w: %s holds no PEM certificate", ErrFile, f.CAFile)
		}
		m.authorities = identify(data)
	}
	if f.CertFile == "" && f.KeyFile == "" {
		return m, nil
	}
	key, err := readKey(f.KeyFile)
	if err != nil {
		return nil, err
	}
	chain, err := os.ReadFile(f.CertFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %s with %s: %w", ErrFile, f.CertFile, f.KeyFile, err)
	}
	if leaf := cert.Leaf; now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, fmt.Errorf("%w: %s is valid from %s to %s", ErrExpired, f.CertFile,
			leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	m.cert = &cert
	return m, nil
}

// identify is the same for files with the same certificates, in whatever order.
func identify(data []byte) string {
	var sums []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		sum := sha256.Sum256(block.Bytes)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	slices.Sort(sums)
	all := sha256.Sum256([]byte(strings.Join(slices.Compact(sums), "\n")))
	return hex.EncodeToString(all[:8])
}

// checkRole makes sure that peers will accept the certificate: that it carries
// the role, and that the authorities that are trusted here vouch for it.
func (m *material) checkRole(role string, now time.Time, file string) error {
	if m.cert == nil || role == "" {
		return nil
	}
	if err := CheckRole(m.cert.Leaf, role); err != nil {
		return fmt.Errorf("%w: %s lacks the DNS name %s; make one with: honua tls server", err, file, role)
	}
	chain := []*x509.Certificate{m.cert.Leaf}
	for _, der := range m.cert.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrFile, file, err)
		}
		chain = append(chain, cert)
	}
	if err := verifyChain(chain, m.pool, now, x509.ExtKeyUsageServerAuth); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFile, file, err)
	}
	return nil
}

// verifyChain checks a certificate, the first, with those that came with it, against authorities.
func verifyChain(chain []*x509.Certificate, roots *x509.CertPool, now time.Time, usage x509.ExtKeyUsage) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}}
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(options)
	return err
}

// OthersMayRead reports whether others than the owner may read a file that holds
// a secret, or write it. One that belongs to root may be readable by a group if
// this process is not root: that is how Kubernetes mounts secrets for a pod with
// an fsGroup, and such a process could not read it otherwise. Who put the process
// into that group lends it the secret; nobody but root can change it.
func OthersMayRead(info fs.FileInfo) bool { return othersMayRead(info, os.Geteuid()) }

func othersMayRead(info fs.FileInfo, euid int) bool {
	forbidden := fs.FileMode(0o077)
	if euid != 0 && belongsToRoot(info) {
		forbidden = 0o037
	}
	return info.Mode().Perm()&forbidden != 0
}

// readKey reads a private key, and refuses one that others than the owner can
// read. It looks at what it reads: the file may be replaced in between.
func readKey(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if OthersMayRead(info) {
		mode := info.Mode().Perm()
		return nil, fmt.Errorf("%w: %s has mode %#o; run: chmod 600 %s (for a secret that Kubernetes mounts, set defaultMode: 0400)", ErrKeyMode, path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxKeyBytes))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return data, nil
}

// maxKeyBytes bounds what is read of a key's file.
const maxKeyBytes = 1 << 20

// stamp changes when a file is replaced or written to.
type stamp struct {
	size    int64
	mode    fs.FileMode
	changed time.Time
}

func (f Files) stamps() (found [3]stamp) {
	for i, path := range []string{f.CAFile, f.CertFile, f.KeyFile} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			found[i] = stamp{info.Size(), info.Mode(), info.ModTime()}
		}
	}
	return found
}
