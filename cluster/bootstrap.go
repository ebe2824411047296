package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// entryPoll is between two rounds of questions of a node without a cluster.
	entryPoll  = 200 * time.Millisecond
	askTimeout = time.Second
)

// peerState is what this node tells a peer that may want to found a cluster.
func (n *Node) peerState(caller, incarnation string) *pb.GetPeerStateResponse {
	who := n.identity.get()
	response := &pb.GetPeerStateResponse{
		NodeId: n.cfg.NodeID, Incarnation: who.Incarnation, HasState: who.Started, ClusterId: n.clusterID(),
		BootstrapIds: n.founders(), BootstrapExpect: uint32(n.cfg.BootstrapExpect),
		Format: n.store.State().Meta().Format,
	}
	known := n.progress.of(caller, incarnation)
	response.CallerTerm, response.CallerIndex = known.Term, known.Index
	_, response.KnowsCaller = n.server(caller)
	if record := n.store.State().Node(caller); record != nil {
		response.CallerIncarnation = record.Incarnation
	} else {
		response.CallerIncarnation = who.Founders[caller]
	}
	if id, _ := n.leader(); id != "" {
		response.LeaderId, response.LeaderGrpcAddress = id, n.grpcAddress(id)
	}
	return response
}

// founders are the ids that this node would found a cluster with, sorted.
func (n *Node) founders() []string {
	if !n.cfg.Voter || n.cfg.BootstrapExpect == 0 {
		return nil
	}
	ids := []string{n.cfg.NodeID}
	for _, m := range n.gossip.all() {
		if m.ID != n.cfg.NodeID && m.Voter && m.Status == MemberAlive {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// enter starts raft once it is certain in what role: resuming from the disk,
// founding a cluster, or admitted to one. A node without a log never opens its
// raft transport before its peers said that it may: they may count on votes and
// entries that an earlier disk of this node held.
func (n *Node) enter(ctx context.Context) error {
	switch {
	case n.disk.hasState:
		return n.resume()
	case n.cfg.Voter && n.cfg.BootstrapExpect == 1 && len(n.cfg.Join) == 0:
		return n.foundCluster(ctx, map[string]*pb.GetPeerStateResponse{})
	}
	n.log.Info("waiting for peers", "bootstrap_expect", n.cfg.BootstrapExpect, "join", n.cfg.Join)
	for {
		changed := n.gossip.changed.changed()
		done, err := n.tryEnter(ctx)
		if done || err != nil {
			return err
		}
		timer := time.NewTimer(entryPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// resume goes on with what is on the disk; its raft hears and says nothing until
// vet has let it.
func (n *Node) resume() error {
	var err error
	if n.resumed, err = n.disk.standing(); err != nil {
		return err
	}
	return n.startRaftWith(false)
}

func (n *Node) tryEnter(ctx context.Context) (bool, error) {
	replies := n.askPeers(ctx)
	incarnation := n.Incarnation()
	for _, reply := range replies {
		if !reply.GetHasState() {
			continue
		}
		if err := speaks(reply.GetFormat(), fsm.FormatVersion, fsm.OldestFormat); err != nil {
			return true, err
		}
		if reply.GetKnowsCaller() && reply.GetCallerIncarnation() == incarnation {
			return true, n.startRaft()
		}
		if err := n.joinThrough(ctx, reply); err != nil {
			n.log.Debug("not admitted yet", "peer", reply.GetNodeId(), "error", err)
			continue
		}
		return true, n.startRaft()
	}
	if n.mayFound(replies) {
		return true, n.foundCluster(ctx, replies)
	}
	return false, nil
}

// mayFound: exactly the expected voters agree on the list, none has state, and
// this node is the first of them. The others start once it vouches for them, so
// that there is one first configuration.
func (n *Node) mayFound(replies map[string]*pb.GetPeerStateResponse) bool {
	ids := n.founders()
	if n.cfg.BootstrapExpect < 2 || len(ids) != n.cfg.BootstrapExpect || ids[0] != n.cfg.NodeID {
		return false
	}
	for _, reply := range replies {
		if reply.GetHasState() {
			return false
		}
	}
	for _, id := range ids[1:] {
		reply := replies[id]
		if reply == nil || int(reply.GetBootstrapExpect()) != n.cfg.BootstrapExpect || !slices.Equal(reply.GetBootstrapIds(), ids) {
			return false
		}
	}
	return true
}

// foundCluster writes the first configuration: this node and those who agreed.
func (n *Node) foundCluster(ctx context.Context, replies map[string]*pb.GetPeerStateResponse) error {
	servers := []raft.Server{{ID: raft.ServerID(n.cfg.NodeID), Address: raft.ServerAddress(n.cfg.RaftAdvertise)}}
	founders := map[string]string{n.cfg.NodeID: n.Incarnation()}
	for id, reply := range replies {
		m, ok := n.gossip.get(id)
		if !ok || !slices.Contains(n.founders(), id) {
			continue
		}
		servers = append(servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(m.Raft)})
		founders[id] = reply.GetIncarnation()
	}
	if want := n.cfg.BootstrapExpect; len(servers) != want {
		return fmt.Errorf("%w: a founder vanished", ErrNoLeader)
	}
	if err := n.identity.update(func(c *identityContent) { c.Founders = founders }); err != nil {
		return err
	}
	n.log.Info("founding a cluster", "servers", len(servers))
	if err := n.startRaft(); err != nil {
		return err
	}
	return n.await(ctx, func() raft.Future {
		return n.raft.Load().BootstrapCluster(raft.Configuration{Servers: servers})
	})
}

// askPeers asks every living member for its state; who does not answer is not
// in the result.
func (n *Node) askPeers(ctx context.Context) map[string]*pb.GetPeerStateResponse {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		pending sync.WaitGroup
		replies = map[string]*pb.GetPeerStateResponse{}
	)
	for _, m := range n.gossip.all() {
		if m.ID == n.cfg.NodeID || m.Status != MemberAlive {
			continue
		}
		pending.Go(func() {
			reply, err := n.askPeer(ctx, m)
			if err != nil {
				n.log.Debug("a peer does not tell its state", "peer", m.ID, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			replies[m.ID] = reply
		})
	}
	pending.Wait()
	return replies
}

func (n *Node) askPeer(ctx context.Context, m Member) (*pb.GetPeerStateResponse, error) {
	conn, err := n.peers.conn(m.ID, m.GRPC)
	if err != nil {
		return nil, err
	}
	reply, err := pb.NewPeerServiceClient(conn).GetPeerState(ctx, &pb.GetPeerStateRequest{
		NodeId: n.cfg.NodeID, ClusterName: n.cfg.ClusterName, Incarnation: n.Incarnation(),
	})
	if err == nil && reply.GetNodeId() != m.ID {
		return nil, fmt.Errorf("%w: %s answers at the address of %s", ErrUnknownNode, reply.GetNodeId(), m.ID)
	}
	return reply, err
}

// joinThrough asks the leader that a peer knows for admission.
func (n *Node) joinThrough(ctx context.Context, peer *pb.GetPeerStateResponse) error {
	if peer.GetLeaderGrpcAddress() == "" {
		return ErrNoLeader
	}
	conn, err := n.peers.conn(peer.GetLeaderId(), peer.GetLeaderGrpcAddress())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	_, err = pb.NewPeerServiceClient(conn).Join(ctx, n.joinRequest())
	return err
}
