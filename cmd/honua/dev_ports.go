package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

// portsFreeWithin is how long the processes of an earlier run may take to let go of their ports.
const portsFreeWithin = 3 * time.Second

// checkPorts makes sure, before anything is started, that every port is free. Its error names the first that is not
// and the flag that moves it.
func (l devLayout) checkPorts(ctx context.Context) error {
	deadline := time.Now()
	if _, err := os.Stat(l.nodesFile()); err == nil {
		deadline = deadline.Add(portsFreeWithin)
	}
	for {
		err := l.tryPorts(ctx)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if !rest(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

func (l devLayout) tryPorts(ctx context.Context) error {
	for _, node := range l.nodes {
		uses := []struct{ network, address, what, flag string }{
			{"tcp", node.http, "HTTP", "--base-http"},
			{"tcp", node.grpc, "gRPC", "--base-port"},
			{"tcp", node.raft, "raft", "--base-port"},
			{"tcp", node.gossip, "gossip", "--base-port"},
			{"udp", node.gossip, "gossip", "--base-port"},
		}
		for _, use := range uses {
			if err := tryListen(ctx, use.network, use.address); err != nil {
				return fmt.Errorf("%s is in use (%s of %s, %s): is another cluster running? Move it with %s: %w",
					use.address, use.what, node.id, use.network, use.flag, err)
			}
		}
	}
	return nil
}

func tryListen(ctx context.Context, network, address string) error {
	var config net.ListenConfig
	if network == "udp" {
		conn, err := config.ListenPacket(ctx, network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	listener, err := config.Listen(ctx, network, address)
	if err != nil {
		return err
	}
	return listener.Close()
}

// rest waits; it reports false if the context ended first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
