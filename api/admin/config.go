package admin

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid admin API configuration")

// Config is what a Server needs.
type Config struct {
	// Proposer executes changes. Required.
	Proposer Proposer
	// Reader answers linearizable reads. Required.
	Reader Reader
	// Store is the node's own state. Required.
	Store Store
	// Membership shows and changes the raft group. Required.
	Membership Membership
	// Classify recognises the errors of Proposer, Reader and Membership; an
	// empty answer is an error it does not know. Required.
	Classify func(error) Failure
	// Logger receives what a client is not told. Required.
	Logger *slog.Logger

	// Nodes asks other nodes how they are. Nil: only what is replicated is shown.
	Nodes Inspector
	// GossipKeys changes the keys of gossip. Nil: they cannot be changed.
	GossipKeys GossipKeys
	// GossipFingerprint tells keys apart without showing them. Required with GossipKeys.
	GossipFingerprint func(key []byte) string
	// Authenticator says who calls. Nil: nobody has to prove anything.
	Authenticator Authenticator
	// Credentials are the transport's. Nil: plain text.
	Credentials credentials.TransportCredentials
	// Register adds the services of other packages before the server serves.
	// Methods that the table of this package does not list stay denied. May be nil.
	Register func(grpc.ServiceRegistrar)
	// Options are added to the server's, such as a stats handler.
	Options []grpc.ServerOption
	// Debug gathers what a support bundle has of this node. Nil: nothing.
	Debug Collect
	// Denied is told of each denied call, and whether its caller was known. May be nil.
	Denied func(known bool)
	// Now is the time at which requests arrive. Default time.Now.
	Now func() time.Time
	// Limits bound what one client may use; zero fields have defaults.
	Limits Limits
}

// Limits bound what one client may use of the server.
type Limits struct {
	// MaxMessageBytes bounds a message that is received. Default 4 MiB.
	MaxMessageBytes int
	// MaxStreams bounds the calls under way on one connection. Default 1024.
	MaxStreams uint32
	// KeepaliveMin is how often a client may ping at most. Default 5 s.
	KeepaliveMin time.Duration
	// Handshake bounds the time until a connection is established. Default 10 s.
	Handshake time.Duration
	// Call bounds a call that is no watch and not between nodes, whatever deadline it brings. Default 2 min.
	Call time.Duration
	// Idle is how long a connection without calls is kept. Default 1 h.
	Idle time.Duration
	// MaxHeaderBytes bounds the headers of a call. Default 16 KiB.
	MaxHeaderBytes uint32
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	missing := func(name string) error { return fmt.Errorf("%w: %s is required", ErrConfig, name) }
	switch {
	case c.Proposer == nil:
		return missing("Proposer")
	case c.Reader == nil:
		return missing("Reader")
	case c.Store == nil:
		return missing("Store")
	case c.Membership == nil:
		return missing("Membership")
	case c.Classify == nil:
		return missing("Classify")
	case c.Logger == nil:
		return missing("Logger")
	case c.Limits.MaxMessageBytes < 0 || c.Limits.KeepaliveMin < 0 || c.Limits.Handshake < 0 || c.Limits.Call < 0 || c.Limits.Idle < 0:
		return fmt.Errorf("%w: a limit is negative", ErrConfig)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Authenticator == nil {
		c.Authenticator = NoAuthentication{}
	}
	if c.Denied == nil {
		c.Denied = func(bool) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

func (l Limits) withDefaults() Limits {
	if l.MaxMessageBytes == 0 {
		l.MaxMessageBytes = 4 << 20
	}
	if l.MaxStreams == 0 {
		l.MaxStreams = 1024
	}
	if l.KeepaliveMin == 0 {
		l.KeepaliveMin = 5 * time.Second
	}
	if l.Handshake == 0 {
		l.Handshake = 10 * time.Second
	}
	if l.Call == 0 {
		l.Call = 2 * time.Minute
	}
	if l.Idle == 0 {
		l.Idle = time.Hour
	}
	if l.MaxHeaderBytes == 0 {
		l.MaxHeaderBytes = 16 << 10
	}
	return l
}
