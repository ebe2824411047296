package client

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// maxMessage bounds one answer; lists are paged well below it.
const maxMessage = 64 << 20

// Client calls a cluster. It implements grpc.ClientConnInterface and may be used by many goroutines.
type Client struct {
	config Config
	pool   *pool
}

var _ grpc.ClientConnInterface = (*Client)(nil)

// New returns a client, or an error that wraps ErrConfig. It connects when it is first used.
func New(config Config) (*Client, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	options := dialOptions(config)
	open := func(address string) *endpoint {
		return &endpoint{address: address, timeout: config.ConnectTimeout, options: options}
	}
	return &Client{config: config, pool: newPool(config.Addresses, open)}, nil
}

// Close closes all connections; calls under way fail.
func (c *Client) Close() { c.pool.close() }

// Deployments returns the deployment service.
func (c *Client) Deployments() pb.DeploymentServiceClient { return pb.NewDeploymentServiceClient(c) }

// Environments returns the environment service.
func (c *Client) Environments() pb.EnvironmentServiceClient {
	return pb.NewEnvironmentServiceClient(c)
}

// Cluster returns the cluster service.
func (c *Client) Cluster() pb.ClusterServiceClient { return pb.NewClusterServiceClient(c) }

// Tokens returns the token service.
func (c *Client) Tokens() pb.TokenServiceClient { return pb.NewTokenServiceClient(c) }

// Settings returns the settings service.
func (c *Client) Settings() pb.SettingsServiceClient { return pb.NewSettingsServiceClient(c) }

// Debug returns the debug service.
func (c *Client) Debug() pb.DebugServiceClient { return pb.NewDebugServiceClient(c) }

// Audit returns the audit service.
func (c *Client) Audit() pb.AuditServiceClient { return pb.NewAuditServiceClient(c) }

func dialOptions(config Config) []grpc.DialOption {
	transport := insecure.NewCredentials()
	if config.TLS != nil {
		transport = credentials.NewTLS(config.TLS)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 25 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 200 * time.Millisecond},
			MinConnectTimeout: config.ConnectTimeout,
		}),
		// A peer that is gone without a word is noticed on long watches; idle connections are left alone.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithIdleTimeout(0),
		// Whether a call may be repeated is decided here, where request ids are known.
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
	}
	if config.Token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer{token: config.Token, secure: config.TLS != nil}))
	}
	return append(options, config.DialOptions...)
}

// pauses between attempts: short while a failover is likely, longer once it is not.
const (
	shortPauseLeast, shortPauseMost = 5 * time.Millisecond, 25 * time.Millisecond
	longPauseLeast, longPauseMost   = 50 * time.Millisecond, 250 * time.Millisecond
	shortPausesFor                  = 3 * time.Second
)

// pause waits a little before the next attempt; it reports false if the context ended first.
func pause(ctx context.Context, since time.Duration) bool {
	least, most := shortPauseLeast, shortPauseMost
	if since > shortPausesFor {
		least, most = longPauseLeast, longPauseMost
	}
	timer := time.NewTimer(least + rand.N(most-least)) //nolint:gosec // spreads load, keeps no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
