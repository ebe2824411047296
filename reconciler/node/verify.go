package node

import (
	"cmp"
	"context"
	"time"

	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// Bounds of a verification.
const (
	// serveWait is how long a question waits for the activation to be served.
	serveWait = 5 * time.Second
	// probeTimeout bounds the probe of everything that is served.
	probeTimeout = 10 * time.Second
)

// Verify waits until this node serves an activation and probes it. What fails
// now and had passed at staging counts as a failure; nothing else does.
func (n *Node) Verify(ctx context.Context, request *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	if _, err := n.config.Store.Wait(ctx, request.GetIndex()); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	ctx, span := n.span(ctx, spanVerify, request.GetEnvironment(), n.activeCommit(request.GetEnvironment()))
	n.awaitServing(ctx, request)
	response, err := n.Probe(ctx, request)
	endSpan(span, response.GetProblems())
	return response, err
}

// Probe is Verify of what this node serves now.
func (n *Node) Probe(ctx context.Context, request *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	response := &pb.VerifyResponse{NodeId: n.config.NodeID, Incarnation: n.config.Incarnation}
	s, _, _ := n.served(request.GetEnvironment())
	if !s.reached(request) || s.problem != "" || s.Digest != request.GetDigest() {
		return response, nil
	}
	probeCtx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	results, _ := n.config.Registry.Probe(probeCtx, request.GetEnvironment())
	judge(response, results)
	return response, nil
}

// judge answers by what was found: what failed is a failure also where the
// time was too short to ask every source; there is no answer where nothing
// failed and something was not asked.
func judge(response *pb.VerifyResponse, results []registry.ProbeResult) {
	response.Served = true
	for _, r := range results {
		switch {
		case r.OK || !r.PassedAtStaging:
		case r.Unknown:
			response.Served = false
		default:
			response.Failed = true
			response.Problems = append(response.Problems, "layer "+r.Layer+": "+r.Reason)
		}
	}
}

// reached reports whether the activation in question, or a later one, is served.
func (s serving) reached(request *pb.VerifyRequest) bool {
	return s.ActivationIndex >= request.GetActivationIndex()
}

// Reached reports whether this node serves the activation in question, or a later one.
func (n *Node) Reached(request *pb.VerifyRequest) bool {
	s, ok, _ := n.served(request.GetEnvironment())
	return ok && s.reached(request)
}

// awaitServing waits, within bounds, for an activation to be served.
func (n *Node) awaitServing(ctx context.Context, request *pb.VerifyRequest) {
	ctx, cancel := context.WithTimeout(ctx, serveWait)
	defer cancel()
	for {
		s, ok, advanced := n.served(request.GetEnvironment())
		if ok && s.reached(request) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-advanced:
		}
	}
}

// GetNodeStatus says what the leader puts on record of this node.
func (n *Node) GetNodeStatus(_ context.Context, request *pb.GetNodeStatusRequest) (*pb.GetNodeStatusResponse, error) {
	state := n.config.Store.State()
	hash := state.Hash()
	digest, value := n.config.Settings()
	response := &pb.GetNodeStatusResponse{
		NodeId: n.config.NodeID, Incarnation: n.config.Incarnation, Version: n.config.Version,
		AppliedIndex: state.Index(), StateHash: hash[:], StateHashIndex: state.Index(),
		SettingsDigest: digest, NowMs: n.config.Now().UnixMilli(), StartedMs: n.started.UnixMilli(), Format: fsm.FormatVersion, OldestFormat: fsm.OldestFormat,
		RaftAddress: n.config.Addresses.Raft, GrpcAddress: n.config.Addresses.GRPC,
		HttpAddress: n.config.Addresses.HTTP, GossipAddress: n.config.Addresses.Gossip,
	}
	if n.config.OwnSettings != nil {
		response.OwnSettings = n.config.OwnSettings()
	}
	if n.config.Backup != nil {
		response.Backup = n.config.Backup()
	}
	if digest != request.GetSettingsDigest() {
		response.Settings = value
	}
	if problem := n.Unwritten(); problem != "" {
		response.Warnings = append(response.Warnings, "a state or approval file cannot be written: "+problem+": give this node's user room and permission there")
	}
	for _, s := range n.Serves() {
		if state.Environment(s.Environment) == nil {
			continue
		}
		response.Serves = append(response.Serves, &pb.ServedContent{
			Environment: s.Environment, Epoch: s.Epoch, ActivationIndex: s.ActivationIndex,
			Digest: s.Digest, Healthy: s.Problem == "" && s.Drift == "", Message: cmp.Or(s.Problem, s.Drift),
		})
	}
	return response, nil
}
