package admin

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// driftTime bounds how long CheckDrift waits for the nodes: each bounds its own inspection by less.
const driftTime = 15 * time.Second

// CheckDrift has every member of the cluster compare now what it serves, its files and its live data sources with what
// is deployed.
func (s *environments) CheckDrift(ctx context.Context, r *pb.CheckDriftRequest) (*pb.CheckDriftResponse, error) {
	var c check
	c.name("environment", r.GetEnvironment())
	if err := c.err(); err != nil {
		return nil, err
	}
	if _, err := s.mayRead(ctx, r.GetEnvironment()); err != nil {
		return nil, err
	}
	if _, err := findEnvironment(s.Store.State(), r.GetEnvironment()); err != nil {
		return nil, err
	}
	nodes := s.inspectDrift(ctx, r.GetEnvironment())
	state := s.Store.State()
	e, err := findEnvironment(state, r.GetEnvironment())
	if err != nil {
		return nil, err
	}
	return &pb.CheckDriftResponse{Environment: environmentMessage(state, e), AppliedIndex: state.Index(), Nodes: nodes}, nil
}

// inspectDrift asks all nodes at once. A node that does not answer is in the answer with the reason.
func (c *core) inspectDrift(ctx context.Context, environment string) []*pb.NodeDrift {
	if c.Nodes == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, driftTime)
	defer cancel()
	servers := c.Membership.Status().Servers
	messages := make([]*pb.NodeDrift, len(servers))
	var asking sync.WaitGroup
	for i, server := range servers {
		asking.Go(func() { messages[i] = c.nodeDrift(ctx, server.ID, environment) })
	}
	asking.Wait()
	slices.SortFunc(messages, func(a, b *pb.NodeDrift) int { return cmp.Compare(a.GetNodeId(), b.GetNodeId()) })
	return messages
}

func (c *core) nodeDrift(ctx context.Context, id, environment string) *pb.NodeDrift {
	answer, err := c.Nodes.InspectDrift(ctx, id, environment)
	if err != nil {
		c.Logger.Debug("node did not say whether it drifted", "node_id", id, "environment", environment, "error", err)
		return &pb.NodeDrift{NodeId: id, Error: err.Error()}
	}
	return &pb.NodeDrift{
		NodeId: id, ActivationIndex: answer.GetActivationIndex(), Digest: answer.GetDigest(), Findings: answer.GetFindings(),
	}
}
