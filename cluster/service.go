package cluster

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/clock"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// peerService answers the other nodes. It works from the moment the node is
// open, and never sends a call on: one hop is all there is.
type peerService struct {
	pb.UnimplementedPeerServiceServer
	n *Node
}

// RegisterPeerService makes the node answer its peers. Do it before Run: nodes
// ask each other before they found a cluster.
func (n *Node) RegisterPeerService(registrar grpc.ServiceRegistrar) {
	pb.RegisterPeerServiceServer(registrar, &peerService{n: n})
}

// authorize lets nodes in, and nobody else.
func (s *peerService) authorize(ctx context.Context) error {
	if s.n.cfg.TLS == nil {
		return nil
	}
	if err := checkCaller(ctx, s.n.cfg.role()); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return nil
}

// GetPeerState says what this node is, and what it knows of the caller.
func (s *peerService) GetPeerState(ctx context.Context, r *pb.GetPeerStateRequest) (*pb.GetPeerStateResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	if r.GetClusterName() != s.n.cfg.ClusterName {
		return nil, s.n.rpcError(ErrForeignCluster)
	}
	return s.n.peerState(r.GetNodeId(), r.GetIncarnation()), nil
}

// Join admits a node.
func (s *peerService) Join(ctx context.Context, r *pb.JoinRequest) (*pb.JoinResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	if err := s.n.admit(ctx, r); err != nil {
		return nil, s.n.rpcError(err)
	}
	return &pb.JoinResponse{ClusterId: s.n.clusterID(), LeaderId: s.n.cfg.NodeID}, nil
}

// Propose executes another node's command.
func (s *peerService) Propose(ctx context.Context, r *pb.ProposeRequest) (*pb.ProposeResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	if err := s.n.authorizeCommand(r.GetEnvelope()); err != nil {
		return nil, s.n.rpcError(err)
	}
	result, err := s.n.proposeHere(ctx, fsm.Restamp(r.GetEnvelope(), clock.Now().UnixMilli()), 0)
	if err != nil {
		return nil, s.n.rpcError(err)
	}
	s.n.spread()
	data, err := fsm.EncodeResult(result)
	if err != nil {
		return nil, s.n.rpcError(executedMaybe(err))
	}
	return &pb.ProposeResponse{Result: data, Index: result.Index}, nil
}

// GetReadIndex confirms the leadership and returns what a read has to wait for.
func (s *peerService) GetReadIndex(ctx context.Context, _ *pb.GetReadIndexRequest) (*pb.GetReadIndexResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	if err := s.n.usable(); err != nil {
		return nil, s.n.rpcError(err)
	}
	index, err := s.n.verified.join(ctx, s.n, s.n.verifiedIndex)
	if err != nil {
		return nil, s.n.rpcError(err)
	}
	return &pb.GetReadIndexResponse{Index: index}, nil
}

// Remove removes a node.
func (s *peerService) Remove(ctx context.Context, r *pb.RemoveRequest) (*pb.RemoveResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	if err := s.n.authorizeMembership(r.GetCaller()); err != nil {
		return nil, s.n.rpcError(err)
	}
	index, err := s.n.removeHere(ctx, r.GetNodeId())
	if err != nil {
		return nil, s.n.rpcError(err)
	}
	return &pb.RemoveResponse{Index: index}, nil
}

// Transfer gives the leadership away.
func (s *peerService) Transfer(ctx context.Context, r *pb.TransferRequest) (*pb.TransferResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	if err := s.n.authorizeMembership(r.GetCaller()); err != nil {
		return nil, s.n.rpcError(err)
	}
	if err := s.n.transferHere(ctx, r.GetNodeId()); err != nil {
		return nil, s.n.rpcError(err)
	}
	return &pb.TransferResponse{}, nil
}
