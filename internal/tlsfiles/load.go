package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
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
	}
	if f.CertFile == "" && f.KeyFile == "" {
		return m, nil
	}
	if err := checkKeyMode(f.KeyFile); err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
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

// OthersMayRead reports whether others than the owner may read a file that holds
// a secret, or write it. One that belongs to root may be readable by a group:
// that is how Kubernetes mounts secrets for a pod with an fsGroup, and a process
// that is not root needs it.
func OthersMayRead(info fs.FileInfo) bool {
	forbidden := fs.FileMode(0o077)
	if lentByRoot(info) {
		forbidden = 0o037
	}
	return info.Mode().Perm()&forbidden != 0
}

// checkKeyMode refuses keys that others than the owner can read.
func checkKeyMode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	if OthersMayRead(info) {
		mode := info.Mode().Perm()
		return fmt.Errorf("%w: %s has mode %#o; run: chmod 600 %s", ErrKeyMode, path, mode, path)
	}
	return nil
}

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
