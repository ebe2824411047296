package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
)

const (
	// keepaliveTime must not be below what servers enforce; they allow 5 s.
	keepaliveTime    = 10 * time.Second
	keepaliveTimeout = 3 * time.Second
	connectTimeout   = 2 * time.Second
)

// peers are the pooled gRPC connections to other nodes, one for each address.
type peers struct {
	cfg *Config

	mu     sync.Mutex
	closed bool
	conns  map[string]*peerConn
}

type peerConn struct {
	address string
	*grpc.ClientConn
}

func newPeers(cfg *Config) *peers { return &peers{cfg: cfg, conns: map[string]*peerConn{}} }

// conn returns the connection to an address; it is made when it is first used.
// A key has one address at a time: the connection to the one before is closed.
func (p *peers) conn(key, address string) (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrStopping
	}
	if c := p.conns[key]; c != nil {
		if c.address == address {
			return c.ClientConn, nil
		}
		_ = c.Close()
		delete(p.conns, key)
	}
	conn, err := grpc.NewClient("passthrough:///"+address, p.options()...)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	p.conns[key] = &peerConn{address, conn}
	return conn, nil
}

func (p *peers) options() []grpc.DialOption {
	identity := insecure.NewCredentials()
	if p.cfg.TLS != nil {
		identity = credentials.NewTLS(atLeast13(p.cfg.TLS.ClientConfig(p.cfg.role())))
	}
	return append([]grpc.DialOption{
		grpc.WithTransportCredentials(identity),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return p.cfg.Network.Dial(ctx, address)
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			// Short: a peer may have been away for a moment only. ClientConn.ResetConnectBackoff
			// would do as well, but reads a map of grpc's that others write (v1.85.0).
			Backoff:           backoff.Config{BaseDelay: 25 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 100 * time.Millisecond},
			MinConnectTimeout: connectTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
		grpc.WithStatsHandler(sentTracker{}),
	}, p.cfg.DialOptions...)
}

func (p *peers) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var problems []error
	for _, c := range p.conns {
		problems = append(problems, c.Close())
	}
	clear(p.conns)
	return errors.Join(problems...)
}

// sentTracker notes, for calls that ask for it, that the call may have reached
// the peer. A status code alone does not tell.
type sentTracker struct{}

type sentKey struct{}

// withSent returns a context whose calls set the flag once they are on the wire.
func withSent(ctx context.Context) (context.Context, *atomic.Bool) {
	sent := &atomic.Bool{}
	return context.WithValue(ctx, sentKey{}, sent), sent
}

// TagRPC keeps the context.
func (sentTracker) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC notes the moment in which a call's headers are written.
func (sentTracker) HandleRPC(ctx context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.OutHeader, *stats.OutPayload:
		if sent, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
			sent.Store(true)
		}
	}
}

// TagConn keeps the context.
func (sentTracker) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn ignores connections.
func (sentTracker) HandleConn(context.Context, stats.ConnStats) {}
