package cluster

import (
	"context"
	"net"

	"github.com/hashicorp/memberlist"
)

// Network carries a node's connections. Tests replace it to run a whole
// cluster in one process, with partitions.
type Network interface {
	// Listen accepts raft connections.
	Listen(address string) (net.Listener, error)
	// Dial connects to a peer's raft or gRPC address. Names are resolved here,
	// at every dial, so that a peer may move.
	Dial(ctx context.Context, address string) (net.Conn, error)
	// Gossip returns a transport for gossip; nil is memberlist's own UDP and TCP.
	Gossip(address string) (memberlist.Transport, error)
}

type tcpNetwork struct{}

func (tcpNetwork) Listen(address string) (net.Listener, error) { return net.Listen("tcp", address) } //nolint:noctx // binding a port does not wait

func (tcpNetwork) Dial(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

func (tcpNetwork) Gossip(string) (memberlist.Transport, error) { return nil, nil }
