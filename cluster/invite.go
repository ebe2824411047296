package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
)

// ErrUnreachable says that nobody answers gossip at an address.
var ErrUnreachable = errors.New("no node of this cluster answers gossip there")

// Invite contacts a running node at its gossip address (host:port) and waits
// until it is admitted; it returns the node's id and an index at which it is.
// The nodes then know of each other, the node asks the leader to be admitted,
// and raft's configuration decides: gossip itself grants nothing.
func (n *Node) Invite(ctx context.Context, gossipAddress string) (nodeID string, index uint64, err error) {
	list := n.gossip.list.Load()
	if list == nil {
		return "", 0, fmt.Errorf("%w: gossip has not started", ErrUnreachable)
	}
	if _, err := list.Join([]string{gossipAddress}); err != nil {
		return "", 0, fmt.Errorf("%w: %s: %w", ErrUnreachable, gossipAddress, err)
	}
	for _, m := range n.Members() {
		if m.Gossip == gossipAddress {
			nodeID = m.ID
		}
	}
	if nodeID == "" {
		return "", 0, fmt.Errorf("%w: %s answers under another address", ErrUnreachable, gossipAddress)
	}
	ctx, cancel := bound(ctx)
	defer cancel()
	state, err := n.store.Until(ctx, func(s *fsm.State) bool { return s.Node(nodeID) != nil })
	if err != nil {
		return "", 0, fmt.Errorf("%w: %s answers and does not ask to be admitted; if it was removed, stop it, empty its Cluster.DataDirectory and start it again", ErrUnreachable, nodeID)
	}
	return nodeID, state.Index(), nil
}
