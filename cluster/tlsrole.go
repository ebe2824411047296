package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// errStranger is a caller without a node's certificate.
var errStranger = errors.New("the caller has no certificate of a node of this cluster")

// atLeast13 returns the configuration without the versions before TLS 1.3.
func atLeast13(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.MinVersion = tls.VersionTLS13
	return c
}

// checkRole: a certificate of the same authority may be a client's. Only a
// node's holds the role's name.
func checkRole(state tls.ConnectionState, role string) error {
	if len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return errStranger
	}
	if err := state.PeerCertificates[0].VerifyHostname(role); err != nil {
		return fmt.Errorf("%w: %w", errStranger, err)
	}
	return nil
}

// checkCaller applies checkRole to a gRPC call.
func checkCaller(ctx context.Context, role string) error {
	caller, ok := peer.FromContext(ctx)
	if !ok {
		return errStranger
	}
	info, ok := caller.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return errStranger
	}
	return checkRole(info.State, role)
}
