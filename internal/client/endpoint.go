package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

// endpoint is one node's address and the connection to it.
type endpoint struct {
	address string
	timeout time.Duration
	options []grpc.DialOption

	mu   sync.Mutex
	conn *grpc.ClientConn
}

// connect returns a connection that is ready, within the connection timeout. A connection that cannot be made is
// closed, so that the next call begins anew instead of waiting for gRPC's own backoff.
func (e *endpoint) connect(ctx context.Context) (*grpc.ClientConn, error) {
	conn, err := e.current()
	if err != nil {
		return nil, err
	}
	if conn.GetState() == connectivity.Ready {
		return conn, nil
	}
	bounded, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	if ready(bounded, conn) {
		return conn, nil
	}
	e.discard(conn)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("cannot connect to %s", e.address)
}

func ready(ctx context.Context, conn *grpc.ClientConn) bool {
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return true
		case connectivity.TransientFailure, connectivity.Shutdown:
			return false
		case connectivity.Idle:
			conn.Connect()
		}
		if !conn.WaitForStateChange(ctx, state) {
			return false
		}
	}
}

func (e *endpoint) current() (*grpc.ClientConn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn == nil {
		conn, err := grpc.NewClient("passthrough:///"+e.address, e.options...)
		if err != nil {
			return nil, fmt.Errorf("address %s: %w", e.address, err)
		}
		e.conn = conn
	}
	return e.conn, nil
}

// discard closes a connection, unless another one has taken its place.
func (e *endpoint) discard(conn *grpc.ClientConn) {
	e.mu.Lock()
	if e.conn == conn {
		e.conn = nil
	}
	e.mu.Unlock()
	_ = conn.Close()
}

func (e *endpoint) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil {
		_ = e.conn.Close()
		e.conn = nil
	}
}
