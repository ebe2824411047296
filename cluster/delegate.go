package cluster

import (
	"fmt"

	"github.com/hashicorp/memberlist"
)

// delegate receives memberlist's callbacks.
type delegate struct{ g *gossip }

// NodeMeta is what this node says of itself.
func (d delegate) NodeMeta(int) []byte {
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	return d.g.meta
}

// NotifyMsg ignores messages: there are none.
func (delegate) NotifyMsg([]byte) {}

// GetBroadcasts has none.
func (delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState has none.
func (delegate) LocalState(bool) []byte { return nil }

// MergeRemoteState has none.
func (delegate) MergeRemoteState([]byte, bool) {}

// NotifyJoin notes a member.
func (d delegate) NotifyJoin(n *memberlist.Node) { d.note(n, MemberAlive) }

// NotifyUpdate notes a member's new description.
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.note(n, MemberAlive) }

// NotifyLeave notes that a member is gone: left if it had said so, else failed.
func (d delegate) NotifyLeave(n *memberlist.Node) { d.note(n, MemberFailed) }

func (d delegate) note(n *memberlist.Node, status MemberStatus) {
	m, err := decodeMember(n.Name, n.Meta)
	if err != nil {
		return
	}
	if m.Status != MemberLeft {
		m.Status = status
	}
	d.g.put(m)
}

// NotifyAlive refuses who is no node of this cluster.
func (d delegate) NotifyAlive(n *memberlist.Node) error {
	m, err := decodeMember(n.Name, n.Meta)
	if err != nil {
		return err
	}
	if m.ClusterName != d.g.cfg.ClusterName {
		return fmt.Errorf("%w: %s is of cluster %q", ErrForeignCluster, m.ID, m.ClusterName)
	}
	return nil
}

// NotifyConflict reports two nodes with one id.
func (d delegate) NotifyConflict(existing, other *memberlist.Node) {
	d.g.log.Error("two nodes have the same id", "node_id", existing.Name,
		"address", existing.Address(), "other_address", other.Address())
}
