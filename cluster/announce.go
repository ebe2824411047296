package cluster

import (
	"context"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	joinTimeout   = 5 * time.Second
	announcePause = 500 * time.Millisecond
	lookInterval  = time.Second
	// steadyLooks in a row make a contact.
	steadyLooks = 3
)

// announce puts this process's addresses and version on record, once for each
// start, and readmits a node that was removed while it was down.
func (n *Node) announce(ctx context.Context) error {
	n.awaitCluster(ctx)
	for {
		err := n.announceOnce(ctx)
		if err == nil {
			return n.watchRemoval(ctx)
		}
		if ctx.Err() == nil {
			n.log.Debug("not announced yet", "error", err)
		}
		if !pause(ctx, announcePause) {
			return nil
		}
	}
}

// awaitCluster waits for the first content. Where the leader has dropped this
// node between its admission and that, nobody will ever send any: it asks again.
func (n *Node) awaitCluster(ctx context.Context) {
	for n.clusterID() == "" && ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, joinTimeout)
		_, err := n.store.Until(wait, func(s *fsm.State) bool { return s.Meta().ClusterID != "" })
		cancel()
		if err == nil {
			return
		}
		if leader := n.askLeader(ctx); leader != nil && !leader.GetKnowsCaller() {
			err := n.joinThrough(ctx, leader)
			n.log.Warn("this node was dropped before it had heard anything: it asked to be admitted again", "leader", leader.GetNodeId(), "error", err)
		}
	}
}

func (n *Node) announceOnce(ctx context.Context) error {
	if _, self := n.leader(); self {
		return n.admit(ctx, n.joinRequest())
	}
	if id, _ := n.leader(); id != "" {
		own := n.peerState(n.cfg.NodeID, n.Incarnation())
		return n.joinThrough(ctx, own)
	}
	err := ErrNoLeader
	for _, reply := range n.askPeers(ctx) {
		if err = n.joinThrough(ctx, reply); err == nil {
			return nil
		}
	}
	return err
}

// watchRemoval finds out that this node was taken out of the configuration:
// nobody may be able to tell it, because nobody sends to it any more.
func (n *Node) watchRemoval(ctx context.Context) error {
	heard, inTouch := time.Now(), 0
	for pause(ctx, lookInterval) {
		if n.Status().HasQuorum {
			// A late heartbeat from before the removal may come once.
			if inTouch++; inTouch >= steadyLooks {
				heard = time.Now()
				if n.removed.Swap(false) {
					n.log.Info("this node is in the cluster again")
				}
			}
			continue
		}
		inTouch = 0
		if n.removed.Load() || !n.forgotten(ctx) {
			continue
		}
		if !n.cfg.Voter && time.Since(heard) >= n.cfg.NonvoterExpiry*9/10 {
			// It was dropped for its absence, not by an operator. The leader began
			// to count a little earlier than this node.
			if err := n.announceOnce(ctx); err != nil {
				n.log.Warn("not readmitted yet", "error", err)
			}
			continue
		}
		n.removed.Store(true)
		n.log.Error("this node was removed from the cluster; restart it to let it join again")
	}
	return nil
}

// forgotten: the leader's configuration does not have this node.
func (n *Node) forgotten(ctx context.Context) bool {
	leader := n.askLeader(ctx)
	return leader != nil && !leader.GetKnowsCaller()
}

// askLeader asks the leader itself, because only its configuration counts; nil
// if none answers. One of another cluster than this node's is none.
func (n *Node) askLeader(ctx context.Context) *pb.GetPeerStateResponse {
	own := n.clusterID()
	for _, reply := range n.askPeers(ctx) {
		if reply.GetLeaderId() == reply.GetNodeId() && (own == "" || reply.GetClusterId() == own) {
			return reply
		}
	}
	return nil
}
