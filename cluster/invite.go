package cluster

import (
	"context"
	"errors"
	"fmt"
)

// ErrUnreachable: nobody answers gossip at an address.
var ErrUnreachable = errors.New("no node of this cluster answers gossip there")

// Invite contacts a running node at its gossip address (host:port). The nodes
// then know of each other, the node asks the leader to be admitted, and raft's
// configuration decides: gossip itself grants nothing.
func (n *Node) Invite(_ context.Context, gossipAddress string) error {
	list := n.gossip.list.Load()
	if list == nil {
		return fmt.Errorf("%w: gossip has not started", ErrUnreachable)
	}
	if _, err := list.Join([]string{gossipAddress}); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, gossipAddress, err)
	}
	return nil
}
