package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/internal/clock"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Remove takes a node out of the cluster, wherever the leader is, and returns
// the raft index of the change. It refuses what would end the cluster:
// ErrLastVoter, ErrWouldLoseQuorum. Removing the leader gives its leadership
// away first.
func (n *Node) Remove(ctx context.Context, caller *pb.Caller, nodeID string) (index uint64, err error) {
	err = n.onLeader(ctx, func(ctx context.Context) error {
		index, err = n.removeHere(ctx, nodeID)
		return err
	}, func(ctx context.Context, client pb.PeerServiceClient) error {
		response, err := client.Remove(ctx, &pb.RemoveRequest{NodeId: nodeID, Caller: caller})
		index = response.GetIndex()
		return err
	})
	return index, err
}

// Transfer gives the leadership to a voter, or to any if the id is empty.
func (n *Node) Transfer(ctx context.Context, caller *pb.Caller, nodeID string) error {
	return n.onLeader(ctx, func(ctx context.Context) error {
		return n.transferHere(ctx, nodeID)
	}, func(ctx context.Context, client pb.PeerServiceClient) error {
		_, err := client.Transfer(ctx, &pb.TransferRequest{NodeId: nodeID, Caller: caller})
		return err
	})
}

// onLeader does something here or asks the leader to, until one accepts.
func (n *Node) onLeader(ctx context.Context, here func(context.Context) error, there func(context.Context, pb.PeerServiceClient) error) error {
	ctx, cancel := bound(ctx)
	defer cancel()
	for {
		if err := n.usable(); err != nil {
			return err
		}
		changed := n.leaders.changed()
		var err error
		switch id, self := n.leader(); {
		case self:
			err = here(ctx)
		case id == "":
			err = ErrNoLeader
		default:
			err = n.ask(ctx, id, there)
		}
		if err == nil || errors.Is(err, ErrUnknownOutcome) || !passing(err) {
			return err
		}
		if !n.awaitChange(ctx, changed) {
			return n.noLeader(err)
		}
	}
}

// lock serialises changes of the configuration.
func (n *Node) lock(ctx context.Context) error {
	select {
	case n.admission <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrNotLeader, context.Cause(ctx))
	}
}

func (n *Node) unlock() { <-n.admission }

func (n *Node) removeHere(ctx context.Context, id string) (uint64, error) {
	if err := n.lock(ctx); err != nil {
		return 0, err
	}
	defer n.unlock()
	lead, err := n.established()
	if err != nil {
		return 0, err
	}
	server, ok := n.server(id)
	if !ok {
		return 0, fmt.Errorf("%w: %s", ErrUnknownNode, id)
	}
	if err := n.awaitExpendable(ctx, lead, server); err != nil {
		return 0, err
	}
	if id == n.cfg.NodeID {
		// Whether the leadership moves or not, nothing is removed here.
		err := n.handOver(ctx, lead.raft, "", "")
		return 0, fmt.Errorf("%w: the next leader removes %s (%w)", ErrNotLeader, id, err)
	}
	index, err := n.dropServer(ctx, lead, server.ID)
	if err != nil {
		return 0, err
	}
	return index, n.forget(ctx, lead.number, id, "removed by an operator")
}

// awaitExpendable is expendable, but for a leader that is new: it has not heard of every voter yet, and gives them the
// time to answer that they have later too.
func (n *Node) awaitExpendable(ctx context.Context, lead *leadership, gone raft.Server) error {
	for {
		err := n.expendable(gone)
		if !errors.Is(err, ErrWouldLoseQuorum) || time.Since(lead.since) > n.contactWithin() || !pause(ctx, contactPoll) {
			return err
		}
	}
}

// contactPoll is how often a new leader looks whom it has heard of.
const contactPoll = 20 * time.Millisecond

// expendable checks that the cluster can do without a server.
func (n *Node) expendable(gone raft.Server) error {
	if gone.Suffrage != raft.Voter {
		return nil
	}
	voters, alive := 0, 0
	for _, s := range n.configuration() {
		if s.Suffrage != raft.Voter || s.ID == gone.ID {
			continue
		}
		voters++
		if n.inContact(string(s.ID)) {
			alive++
		}
	}
	if voters == 0 {
		return fmt.Errorf("%w: %s", ErrLastVoter, gone.ID)
	}
	if alive <= voters/2 {
		return fmt.Errorf("%w: without %s, %d of %d voters are reachable", ErrWouldLoseQuorum, gone.ID, alive, voters)
	}
	return nil
}

// inContact reports whether a node answered its leader lately.
func (n *Node) inContact(id string) bool { return time.Since(n.LastContact(id)) < n.contactWithin() }

// contactWithin is after how much silence a leader and a follower count on each other no more.
func (n *Node) contactWithin() time.Duration { return 3 * n.cfg.electionTimeout() }

func (n *Node) established() (*leadership, error) {
	if err := n.usable(); err != nil {
		return nil, err
	}
	lead := n.leading.Load()
	if lead == nil {
		return nil, ErrNotLeader
	}
	return lead, nil
}

func (n *Node) dropServer(ctx context.Context, lead *leadership, id raft.ServerID) (uint64, error) {
	var future raft.IndexFuture
	err := n.await(ctx, func() raft.Future {
		future = lead.raft.RemoveServer(id, 0, n.cfg.electionTimeout())
		return future
	})
	if err != nil {
		return 0, raftError(err)
	}
	n.log.Info("node removed from the configuration", "removed", string(id), "index", future.Index())
	return future.Index(), nil
}

// forget takes a node off the record. What fails here the reconciliation of
// the leader repeats.
func (n *Node) forget(ctx context.Context, term uint64, id, reason string) error {
	if n.store.State().Node(id) == nil {
		return nil
	}
	result, err := n.Propose(ctx, Command{Term: term, IssuedAt: clock.Now().UnixMilli(), Payload: &pb.Payload{
		Command: &pb.Payload_ForgetNode{ForgetNode: &pb.ForgetNode{NodeId: id, Reason: reason}},
	}})
	return errors.Join(err, result.Err())
}

func (n *Node) transferHere(ctx context.Context, id string) error {
	lead, err := n.established()
	if err != nil {
		return err
	}
	if id == "" {
		return n.handOver(ctx, lead.raft, "", "")
	}
	server, ok := n.server(id)
	switch {
	case !ok:
		return fmt.Errorf("%w: %s", ErrUnknownNode, id)
	case server.Suffrage != raft.Voter:
		return fmt.Errorf("%w: %s", ErrNotVoter, id)
	case id == n.cfg.NodeID:
		return nil
	}
	return n.handOver(ctx, lead.raft, server.ID, server.Address)
}

// handOver transfers the leadership; an empty id lets raft choose.
func (n *Node) handOver(ctx context.Context, r *raft.Raft, id raft.ServerID, address raft.ServerAddress) error {
	err := n.await(ctx, func() raft.Future {
		if id == "" {
			return r.LeadershipTransfer()
		}
		return r.LeadershipTransferToServer(id, address)
	})
	if err != nil {
		return fmt.Errorf("%w: the leadership did not move: %w", ErrUnknownOutcome, err)
	}
	return nil
}
