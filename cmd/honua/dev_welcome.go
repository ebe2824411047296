package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// lockedWriter keeps lines of several goroutines apart.
type lockedWriter struct {
	lock *sync.Mutex
	to   io.Writer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.to.Write(p)
}

// welcome prints the addresses, what to try next, and the line that begins with ready.
func (c *devCluster) welcome(ctx context.Context, took time.Duration) {
	leader := c.leader(ctx)
	var text bytes.Buffer
	newline(&text)
	t := newTable(&text, "NODE", "PID", "HTTP", "GRPC", "RAFT", "GOSSIP", "ROLE")
	for _, node := range c.roster.nodes().Nodes {
		role := "follower"
		if node.ID == leader {
			role = "leader"
		}
		t.row(node.ID, strconv.Itoa(node.PID), node.HTTPAddress, node.GRPCAddress, node.RaftAddress, node.GossipAddress, role)
	}
	_ = t.flush()
	c.next(&text)
	fmt.Fprintf(&text, "ready: %d nodes serve %s after %s; Ctrl-C stops them\n", len(c.layout.nodes), c.layout.environment, elapsed(took))
	c.saying.Lock()
	defer c.saying.Unlock()
	_, _ = text.WriteTo(c.session.out)
}

// next says what to try. Commands that would reach another cluster by default name the address.
func (c *devCluster) next(w io.Writer) {
	first, address := c.layout.nodes[0], ""
	if first.grpc != client.DefaultAddress {
		address = " --address " + first.grpc
	}
	e := c.layout.environment
	fmt.Fprintf(w, `
Try, in another terminal:
  honua status%[1]s
  curl http://%[2]s/ogc/collections
  curl 'http://%[2]s/ogc/collections/cities/items?limit=10'
  edit %[3]s/environments/%[4]s/metadata.json, git commit -a, then:
  honua environment sync %[4]s%[1]s
  honua deployment list%[1]s
  kill -9 one of the processes above, and look again

`, address, first.http, c.layout.repo, e)
}

// leader asks for the leader's id; empty if nobody knows it yet.
func (c *devCluster) leader(ctx context.Context) string {
	cluster, err := client.New(client.Config{Addresses: c.layout.addresses(), Timeout: 2 * time.Second})
	if err != nil {
		return ""
	}
	defer cluster.Close()
	status, err := cluster.Cluster().GetStatus(ctx, &pb.GetStatusRequest{Consistency: pb.Consistency_CONSISTENCY_STALE})
	if err != nil {
		return ""
	}
	return status.GetLeaderId()
}
