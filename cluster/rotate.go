package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// keyringTimeout bounds what one node may take to change its keys.
const keyringTimeout = 5 * time.Second

// NodeKeys are one node's gossip keys, or why it did not answer.
type NodeKeys struct {
	NodeID string
	Keys
	Err error
}

// GossipKeys asks all nodes of the raft configuration which keys they have.
func (n *Node) GossipKeys(ctx context.Context) []NodeKeys {
	return n.eachKeyring(ctx, KeyChange{Operation: ListKeys})
}

// ChangeGossipKey makes one step of a rotation on all nodes of the raft
// configuration. Using a key is refused until all have it, removing one while
// any uses it. Each step may be repeated.
func (n *Node) ChangeGossipKey(ctx context.Context, c KeyChange) ([]NodeKeys, error) {
	if c.Fingerprint == "" {
		c.Fingerprint = KeyFingerprint(c.Key)
	}
	if c.Operation != InstallKey {
		if err := mayChange(c, n.GossipKeys(ctx)); err != nil {
			return nil, err
		}
	}
	after := n.eachKeyring(ctx, c)
	for _, node := range after {
		if node.Err != nil {
			return after, fmt.Errorf("%s: %w", node.NodeID, node.Err)
		}
	}
	n.log.Info("gossip keys changed", "operation", string(c.Operation), "fingerprint", c.Fingerprint, "nodes", len(after))
	return after, nil
}

func mayChange(c KeyChange, nodes []NodeKeys) error {
	var without, using, silent []string
	for _, node := range nodes {
		switch {
		case node.Err != nil:
			silent = append(silent, node.NodeID)
		case !slices.Contains(node.All, c.Fingerprint):
			without = append(without, node.NodeID)
		case node.Primary == c.Fingerprint:
			using = append(using, node.NodeID)
		}
	}
	switch {
	case c.Operation == UseKey && len(without)+len(silent) > 0:
		return fmt.Errorf("%w: install %s first: %s without it, %s not reachable", ErrUnknownKey, c.Fingerprint, list(without), list(silent))
	case c.Operation == RemoveKey && len(using) > 0:
		return fmt.Errorf("%w: %s by %s: use another one first", ErrKeyInUse, c.Fingerprint, strings.Join(using, ", "))
	case c.Operation == RemoveKey && len(without) == len(nodes):
		return fmt.Errorf("%w: %s", ErrUnknownKey, c.Fingerprint)
	}
	return nil
}

// eachKeyring does the same on all nodes at once and returns their answers by node id.
func (n *Node) eachKeyring(ctx context.Context, c KeyChange) []NodeKeys {
	ctx, cancel := context.WithTimeout(ctx, keyringTimeout)
	defer cancel()
	servers := n.configuration()
	answers := make([]NodeKeys, len(servers))
	var asking sync.WaitGroup
	for i, server := range servers {
		asking.Go(func() { answers[i] = n.oneKeyring(ctx, string(server.ID), c) })
	}
	asking.Wait()
	slices.SortFunc(answers, func(a, b NodeKeys) int { return strings.Compare(a.NodeID, b.NodeID) })
	return answers
}

func (n *Node) oneKeyring(ctx context.Context, id string, c KeyChange) NodeKeys {
	answer := NodeKeys{NodeID: id}
	if id == n.cfg.NodeID {
		answer.Keys, answer.Err = n.changeKeyring(c)
		return answer
	}
	conn, err := n.dial(id)
	if err != nil {
		answer.Err = err
		return answer
	}
	response, err := pb.NewPeerServiceClient(conn).ChangeKeyring(ctx, &pb.ChangeKeyringRequest{
		Operation: string(c.Operation), Key: c.Key, Fingerprint: c.Fingerprint,
	}, grpc.WaitForReady(true)) // it may have been away a moment ago
	if err != nil {
		answer.Err = fmt.Errorf("%s", status.Convert(err).Message())
		return answer
	}
	answer.Keys = Keys{Primary: response.GetPrimary(), All: response.GetFingerprints()}
	return answer
}

// changeKeyring changes this node's own keys. What is removed here and not there is no error.
func (n *Node) changeKeyring(c KeyChange) (Keys, error) {
	if c.Operation == RemoveKey {
		if found, err := n.gossip.keys.change(KeyChange{}); err == nil && !slices.Contains(found.All, c.Fingerprint) {
			return found, nil
		}
	}
	return n.gossip.keys.change(c)
}

// ChangeKeyring changes this node's gossip keys for a peer.
func (s *peerService) ChangeKeyring(ctx context.Context, r *pb.ChangeKeyringRequest) (*pb.ChangeKeyringResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	keys, err := s.n.changeKeyring(KeyChange{Operation: KeyOperation(r.GetOperation()), Key: r.GetKey(), Fingerprint: r.GetFingerprint()})
	if err != nil {
		return nil, s.n.rpcError(err)
	}
	return &pb.ChangeKeyringResponse{Primary: keys.Primary, Fingerprints: keys.All}, nil
}
