package admin

import (
	"context"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// clusters is the ClusterService.
type clusters struct {
	pb.UnimplementedClusterServiceServer
	*core
}

// GetStatus says what this node knows. It asks for a quorum only if the request
// says LINEARIZABLE in so many words: it is what one looks at when there is none.
func (s *clusters) GetStatus(ctx context.Context, r *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	state := s.Store.State()
	if r.GetConsistency() == pb.Consistency_CONSISTENCY_LINEARIZABLE {
		fresh, err := s.read(ctx, r.GetConsistency())
		if err != nil {
			return nil, err
		}
		state = fresh
	}
	status := s.Membership.Status()
	meta := state.Meta()
	answer := &pb.GetStatusResponse{
		LeaderId: status.LeaderID, Term: status.Term, Quorum: quorum(status.Servers),
		ClusterId: meta.ClusterID, Epoch: meta.Epoch, AppliedIndex: state.Index(),
		NodeId: status.NodeID, HasQuorum: status.HasQuorum, Format: meta.Format,
		Servers: s.servers(ctx, state, status),
	}
	if meta.Settings != nil {
		answer.SettingsDigest = meta.Settings.FileDigest
	}
	return answer, nil
}

// callerOf is who calls, for the node that the change is sent on to.
func (s *clusters) callerOf(ctx context.Context) *pb.Caller {
	identity := identityOf(ctx)
	return identity.caller(identity.Name)
}

func quorum(servers []RaftServer) uint32 {
	voters := uint32(0)
	for _, s := range servers {
		if s.Voter {
			voters++
		}
	}
	return voters/2 + 1
}

// ListMembers returns what gossip sees.
func (s *clusters) ListMembers(context.Context, *pb.ListMembersRequest) (*pb.ListMembersResponse, error) {
	answer := &pb.ListMembersResponse{}
	for _, m := range s.Membership.Members() {
		answer.Members = append(answer.Members, &pb.Member{
			Id: m.ID, Address: m.Address, Status: m.Status, RaftAddress: m.RaftAddress,
			GrpcAddress: m.GRPCAddress, HttpAddress: m.HTTPAddress, Voter: m.Voter, Version: m.Version,
		})
	}
	return answer, nil
}

// AddServer admits a node that is running and asks to join. Adding one that is
// in the configuration already changes nothing.
func (s *clusters) AddServer(ctx context.Context, r *pb.AddServerRequest) (*pb.AddServerResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.address("address", r.GetAddress())
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.permit(ctx, "", Admin); err != nil {
		return nil, err
	}
	id, _ := s.requestID(ctx, r.GetRequestId())
	nodeID, index, err := s.Membership.Add(ctx, r.GetAddress())
	if err != nil {
		return nil, s.changeFailed(err, id)
	}
	s.Logger.Info("server added", "node_id", nodeID, "identity", identityOf(ctx).Name, "request_id", id)
	return &pb.AddServerResponse{AppliedIndex: index, Id: nodeID}, nil
}

// RemoveServer takes a node out of the raft configuration.
func (s *clusters) RemoveServer(ctx context.Context, r *pb.RemoveServerRequest) (*pb.RemoveServerResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("id", r.GetId())
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.permit(ctx, "", Admin); err != nil {
		return nil, err
	}
	id, _ := s.requestID(ctx, r.GetRequestId())
	index, err := s.Membership.Remove(ctx, s.callerOf(ctx), r.GetId())
	if err != nil {
		return nil, s.changeFailed(s.suggestNode(err, r.GetId()), id)
	}
	s.Logger.Info("server removed", "node_id", r.GetId(), "identity", identityOf(ctx).Name, "request_id", id)
	return &pb.RemoveServerResponse{AppliedIndex: index}, nil
}

// TransferLeadership hands leadership on and returns once this node sees the new leader.
func (s *clusters) TransferLeadership(ctx context.Context, r *pb.TransferLeadershipRequest) (*pb.TransferLeadershipResponse, error) {
	var c check
	c.optionalName("id", r.GetId())
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.permit(ctx, "", Admin); err != nil {
		return nil, err
	}
	before := s.Membership.Status()
	if r.GetId() != "" && r.GetId() == before.LeaderID {
		return &pb.TransferLeadershipResponse{LeaderId: before.LeaderID, Term: before.Term}, nil
	}
	if err := s.Membership.Transfer(ctx, s.callerOf(ctx), r.GetId()); err != nil {
		return nil, s.changeFailed(s.suggestNode(err, r.GetId()), "")
	}
	after := s.awaitLeader(ctx, before.Term)
	s.Logger.Info("leadership transferred", "from", before.LeaderID, "to", after.LeaderID, "identity", identityOf(ctx).Name)
	return &pb.TransferLeadershipResponse{LeaderId: after.LeaderID, Term: after.Term}, nil
}

// How long and how often a transfer looks for the new leader.
const (
	leaderWait  = 3 * time.Second
	leaderCheck = 5 * time.Millisecond
)

// awaitLeader returns the first status with a leader of a later term. Whether
// the transfer happened is decided already: not seeing it in time is no error.
func (s *clusters) awaitLeader(ctx context.Context, term uint64) Status {
	bounded, cancel := context.WithTimeout(ctx, leaderWait)
	defer cancel()
	tick := time.NewTicker(leaderCheck)
	defer tick.Stop()
	for {
		status := s.Membership.Status()
		if status.Term > term && status.LeaderID != "" {
			return status
		}
		select {
		case <-bounded.Done():
			return status
		case <-tick.C:
		}
	}
}

// suggestNode names the nodes that there are, if the error is that there is no such one.
func (s *clusters) suggestNode(err error, id string) error {
	if id == "" || s.Classify(err) != UnknownNode {
		return err
	}
	names := func(yield func(string) bool) {
		for _, server := range s.Membership.Status().Servers {
			if !yield(server.ID) {
				return
			}
		}
	}
	return unknown("node", id, nearest(id, names))
}
