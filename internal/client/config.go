package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// DefaultAddress is where a node answers unless it is told otherwise.
const DefaultAddress = "127.0.0.1:7700"

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid client configuration")

// Config says which nodes to call and how.
type Config struct {
	// Addresses are host:port of nodes' gRPC addresses, the preferred one first. Required.
	Addresses []string
	// TLS encrypts the connections; nil sends everything in the clear.
	TLS *tls.Config
	// Token is sent with each call. Without TLS it is only accepted for loopback addresses.
	Token string
	// Timeout bounds a call whose context has no deadline. Default 10 s.
	Timeout time.Duration
	// ConnectTimeout bounds one connection attempt. Default 200 ms, 2 s with TLS.
	ConnectTimeout time.Duration
	// AttemptTimeout is how long a connected node may be silent before another one is asked. It doubles with
	// each silence within one call. Default 3 s.
	AttemptTimeout time.Duration
	// GiveUp is how long no node at all may be reachable before a call fails. Default 2 s; a negative value keeps
	// trying until the call's deadline.
	GiveUp time.Duration
	// Logger receives failovers at level Debug; nil discards them.
	Logger *slog.Logger
	// DialOptions are added to each connection's, for tests and instrumentation.
	DialOptions []grpc.DialOption
}

// ParseAddresses splits a comma-separated list of host:port. A host without a port gets the default one.
func ParseAddresses(list string) ([]string, error) {
	_, defaultPort, _ := net.SplitHostPort(DefaultAddress)
	var addresses []string
	for part := range strings.SplitSeq(list, ",") {
		address := strings.TrimSpace(part)
		if address == "" {
			continue
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			host, port = strings.Trim(address, "[]"), defaultPort
			if strings.Contains(host, ":") && net.ParseIP(host) == nil {
				return nil, fmt.Errorf("%w: %q is not host:port", ErrConfig, address)
			}
		}
		if host == "" {
			host = "127.0.0.1"
		}
		if joined := net.JoinHostPort(host, port); !slices.Contains(addresses, joined) {
			addresses = append(addresses, joined)
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%w: no address was given", ErrConfig)
	}
	return addresses, nil
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	if len(c.Addresses) == 0 {
		return fmt.Errorf("%w: Addresses is required", ErrConfig)
	}
	for _, address := range c.Addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("%w: %q is not host:port", ErrConfig, address)
		}
		if c.Token != "" && c.TLS == nil && !loopback(host) {
			return fmt.Errorf("%w: a token is not sent to %s without TLS; name the cluster's CA", ErrConfig, address)
		}
	}
	if c.Timeout < 0 || c.ConnectTimeout < 0 || c.AttemptTimeout < 0 {
		return fmt.Errorf("%w: timeouts must not be negative", ErrConfig)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (c Config) withDefaults() Config {
	connect := 200 * time.Millisecond
	if c.TLS != nil {
		connect = 2 * time.Second
	}
	setDefault(&c.Timeout, 10*time.Second)
	setDefault(&c.ConnectTimeout, connect)
	setDefault(&c.AttemptTimeout, 3*time.Second)
	setDefault(&c.GiveUp, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault(value *time.Duration, to time.Duration) {
	if *value == 0 {
		*value = to
	}
}
