package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/clock"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// joinRequest is how this node asks to be admitted.
func (n *Node) joinRequest() *pb.JoinRequest {
	return &pb.JoinRequest{
		NodeId: n.cfg.NodeID, Incarnation: n.Incarnation(), RaftAddress: n.cfg.RaftAdvertise,
		GrpcAddress: n.cfg.GRPCAdvertise, HttpAddress: n.cfg.HTTPAdvertise, GossipAddress: n.cfg.GossipAdvertise,
		Voter: n.cfg.Voter, Version: n.cfg.Version, ClusterName: n.cfg.ClusterName, ClusterId: n.clusterID(),
		Format: fsm.FormatVersion, OldestFormat: fsm.OldestFormat,
	}
}

// admit puts a node on record and into the configuration. It is idempotent.
// Whoever comes anew follows without a vote until it has kept up for a while;
// a node whose log is gone is removed first, because it forgot its votes.
func (n *Node) admit(ctx context.Context, r *pb.JoinRequest) error {
	if err := n.checkJoin(r); err != nil {
		return err
	}
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	lead, err := n.established()
	if err != nil {
		return err
	}
	n.contacts.admitted(raft.ServerID(r.GetNodeId()))
	server, known := n.server(r.GetNodeId())
	if known && n.returnsEmpty(r) {
		n.log.Warn("a node returned without its log: it starts again as a learner", "joining", r.GetNodeId())
		if _, err := n.dropServer(ctx, lead, server.ID); err != nil {
			return err
		}
		known = false
	}
	if err := n.register(ctx, lead.number, r); err != nil {
		return err
	}
	address := raft.ServerAddress(r.GetRaftAddress())
	if !known || server.Address != address {
		wanted := raft.Server{ID: raft.ServerID(r.GetNodeId()), Address: address, Suffrage: suffrage(server, known)}
		place := func() error { return n.place(ctx, lead, wanted) }
		if known && r.GetNodeId() != n.cfg.NodeID {
			return n.readdress(ctx, wanted, place)
		}
		return place()
	}
	if server.Suffrage == raft.Voter && !r.GetVoter() {
		return n.demote(ctx, lead, server)
	}
	return nil
}

// demote takes the vote of a node that was configured to have none.
func (n *Node) demote(ctx context.Context, lead *leadership, server raft.Server) error {
	if err := n.expendable(server); err != nil {
		return err
	}
	err := n.await(ctx, func() raft.Future {
		return lead.raft.DemoteVoter(server.ID, 0, n.cfg.electionTimeout())
	})
	if err != nil {
		return raftError(err)
	}
	n.log.Info("configuration changed", "server", string(server.ID), "voter", false)
	return nil
}

func suffrage(before raft.Server, known bool) raft.ServerSuffrage {
	if known {
		return before.Suffrage
	}
	return raft.Nonvoter
}

func (n *Node) checkJoin(r *pb.JoinRequest) error {
	if r.GetClusterName() != n.cfg.ClusterName {
		return fmt.Errorf("%w: %s is of cluster %q, this is %q", ErrForeignCluster, r.GetNodeId(), r.GetClusterName(), n.cfg.ClusterName)
	}
	if id := n.clusterID(); r.GetClusterId() != "" && r.GetClusterId() != id {
		return fmt.Errorf("%w: the data directory of %s is of cluster %s, this is %s", ErrForeignCluster, r.GetNodeId(), r.GetClusterId(), id)
	}
	if !validName.MatchString(r.GetNodeId()) || r.GetIncarnation() == "" || r.GetRaftAddress() == "" || r.GetGrpcAddress() == "" {
		return fmt.Errorf("%w: the request to join is incomplete", ErrUnapplicable)
	}
	if err := speaks(n.store.State().Meta().Format, r.GetFormat(), r.GetOldestFormat()); err != nil {
		return fmt.Errorf("%w: %s is %s", err, r.GetNodeId(), orUnknown(r.GetVersion()))
	}
	for _, s := range n.configuration() {
		if string(s.ID) != r.GetNodeId() && string(s.Address) == r.GetRaftAddress() {
			return fmt.Errorf("%w: %s is %s's; remove that node first", ErrAddressInUse, s.Address, s.ID)
		}
	}
	return nil
}

// returnsEmpty: the node that is in the configuration is another one than the
// one that asks, or has lost what it knew.
func (n *Node) returnsEmpty(r *pb.JoinRequest) bool {
	if r.GetNodeId() == n.cfg.NodeID {
		return false
	}
	record := n.store.State().Node(r.GetNodeId())
	return r.GetClusterId() == "" || record != nil && record.Incarnation != r.GetIncarnation()
}

// register puts the node on record, if the record says anything else.
func (n *Node) register(ctx context.Context, term uint64, r *pb.JoinRequest) error {
	if recorded(n.store.State().Node(r.GetNodeId()), r) {
		return nil
	}
	result, err := n.Propose(ctx, Command{Term: term, IssuedAt: clock.Now().UnixMilli(), Payload: &pb.Payload{
		Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{
			NodeId: r.GetNodeId(), Incarnation: r.GetIncarnation(), RaftAddress: r.GetRaftAddress(),
			GrpcAddress: r.GetGrpcAddress(), HttpAddress: r.GetHttpAddress(), GossipAddress: r.GetGossipAddress(),
			Voter: r.GetVoter(), Version: r.GetVersion(),
		}},
	}})
	return errors.Join(err, result.Err())
}

func recorded(record *fsm.Node, r *pb.JoinRequest) bool {
	return record != nil && record.Incarnation == r.GetIncarnation() && record.RaftAddress == r.GetRaftAddress() &&
		record.GRPCAddress == r.GetGrpcAddress() && record.HTTPAddress == r.GetHttpAddress() &&
		record.GossipAddress == r.GetGossipAddress() && record.Voter == r.GetVoter() && record.Version == r.GetVersion()
}

// place adds a server to the configuration, or changes its address or suffrage.
func (n *Node) place(ctx context.Context, lead *leadership, s raft.Server) error {
	err := n.await(ctx, func() raft.Future {
		if s.Suffrage == raft.Voter {
			return lead.raft.AddVoter(s.ID, s.Address, 0, n.cfg.electionTimeout())
		}
		return lead.raft.AddNonvoter(s.ID, s.Address, 0, n.cfg.electionTimeout())
	})
	if err != nil {
		return raftError(err)
	}
	n.log.Info("configuration changed", "server", string(s.ID), "raft_address", string(s.Address), "voter", s.Suffrage == raft.Voter)
	return nil
}
