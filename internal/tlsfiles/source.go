package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Config of a Source.
type Config struct {
	Files Files
	// Role is a DNS name that the certificate has to carry, and then CAFile's
	// authorities have to vouch for it: others would be refused by every peer.
	// Empty asks for none.
	Role string
	// CheckInterval is how often at most the files are looked at. Default 1 s.
	CheckInterval time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger is told of every reload, and of every one that failed. Nil discards.
	Logger *slog.Logger
}

// Validate reports settings that cannot work, as ErrFile.
func (c Config) Validate() error {
	switch {
	case (c.Files.CertFile == "") != (c.Files.KeyFile == ""):
		return fmt.Errorf("%w: certificate and key go together", ErrFile)
	case c.Files == Files{}:
		return fmt.Errorf("%w: none is named", ErrFile)
	case c.CheckInterval < 0:
		return fmt.Errorf("%w: check interval %v is negative", ErrFile, c.CheckInterval)
	}
	return nil
}

// Source holds what the files hold. It looks at them when a handshake needs
// them, so that it needs no goroutine; files that cannot be used are reported,
// and what was loaded before stays in use.
type Source struct {
	config Config

	mu      sync.Mutex
	current *material
	seen    [3]stamp
	checked time.Time
	failed  string // why the files of today are not in use; "" when they are
}

// Open loads the files. Its errors wrap ErrFile, ErrKeyMode, ErrExpired or ErrRole.
func Open(c Config) (*Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.CheckInterval == 0 {
		c.CheckInterval = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Source{config: c, checked: c.Now(), seen: c.Files.stamps()}
	loaded, err := s.load(s.checked)
	if err != nil {
		return nil, err
	}
	s.current = loaded
	return s, nil
}

// NotAfter is when the certificate in use expires; the zero time without one.
func (s *Source) NotAfter() time.Time {
	if m := s.material(); m.cert != nil {
		return m.cert.Leaf.NotAfter
	}
	return time.Time{}
}

// Authorities identifies the authorities in use: equal for two nodes that trust
// the same ones. "" without CAFile.
func (s *Source) Authorities() string { return s.material().authorities }

// material returns what is in use, after a look at the files when it is time for one.
func (s *Source) material() *material {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	if since := now.Sub(s.checked); since >= 0 && since < s.config.CheckInterval {
		return s.current
	}
	s.checked = now
	// Stamped before reading: a file that changes meanwhile is read again next time.
	if seen := s.config.Files.stamps(); seen != s.seen || s.failed != "" {
		s.reload(seen, now)
	}
	return s.current
}

func (s *Source) load(now time.Time) (*material, error) {
	loaded, err := s.config.Files.load(now)
	if err == nil {
		err = loaded.checkRole(s.config.Role, now, s.config.Files.CertFile)
	}
	return loaded, err
}

func (s *Source) reload(seen [3]stamp, now time.Time) {
	loaded, err := s.load(now)
	s.seen = seen
	if err != nil {
		if s.failed != err.Error() {
			s.config.Logger.Error("TLS files changed and cannot be used; those loaded before stay in use", "error", err)
		}
		s.failed = err.Error()
		return
	}
	s.current, s.failed = loaded, ""
	if loaded.cert != nil {
		s.config.Logger.Info("TLS files reloaded", "not_after", loaded.cert.Leaf.NotAfter)
		return
	}
	s.config.Logger.Info("TLS files reloaded")
}

// CheckClient verifies the chain of a client that is connected already against
// the authorities in use now: a connection outlives certificates and authorities.
func (s *Source) CheckClient(state tls.ConnectionState) error {
	return s.verify(state.PeerCertificates, x509.ExtKeyUsageClientAuth)
}

// verify checks a peer's chain against the authorities in use now.
func (s *Source) verify(peer []*x509.Certificate, usage x509.ExtKeyUsage) error {
	if len(peer) == 0 {
		return errors.New("the peer showed no certificate")
	}
	return verifyChain(peer, s.material().pool, s.config.Now(), usage)
}
