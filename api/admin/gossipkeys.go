package admin

import (
	"context"
	"errors"
	"fmt"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// GossipKeys changes the keys of gossip on all nodes.
type GossipKeys interface {
	// List asks all nodes which keys they have.
	List(ctx context.Context) []NodeKeys
	// Change makes one step on all nodes. Its error says that not all have made it.
	Change(ctx context.Context, operation string, key []byte, fingerprint string) ([]NodeKeys, error)
}

// NodeKeys are the keys of one node, by fingerprint.
type NodeKeys struct {
	NodeID, Primary string
	Keys            []string
	// Problem is why it did not do as asked; "" if it did.
	Problem string
}

// ListGossipKeys asks all nodes which keys they have.
func (s *clusters) ListGossipKeys(ctx context.Context, _ *pb.ListGossipKeysRequest) (*pb.ListGossipKeysResponse, error) {
	if err := s.permit(ctx, "", Admin); err != nil {
		return nil, err
	}
	if s.GossipKeys == nil {
		return nil, errNoGossipKeys()
	}
	return &pb.ListGossipKeysResponse{Nodes: nodeKeys(s.GossipKeys.List(ctx))}, nil
}

func errNoGossipKeys() error {
	return &problem{failure: Precondition, reason: "no_keyring", message: "this server cannot change gossip keys"}
}

// ChangeGossipKey makes one step of a rotation on all nodes and puts it on record.
func (s *clusters) ChangeGossipKey(ctx context.Context, r *pb.ChangeGossipKeyRequest) (*pb.ChangeGossipKeyResponse, error) {
	operation, known := map[pb.GossipKeyOperation]string{
		pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_INSTALL: "install",
		pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_USE:     "use",
		pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_REMOVE:  "remove",
	}[r.GetOperation()]
	var c check
	if !known {
		c.add("operation", "is none of install, use and remove")
	}
	c.optionalName("fingerprint", r.GetFingerprint())
	if n := len(r.GetKey()); n != 16 && n != 24 && n != 32 && (operation == "install" || r.GetFingerprint() == "") {
		c.add("key", "has %d bytes: 16, 24 or 32 are possible", n)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.permit(ctx, "", Admin); err != nil {
		return nil, err
	}
	if s.GossipKeys == nil {
		return nil, errNoGossipKeys()
	}
	nodes, err := s.GossipKeys.Change(ctx, operation, r.GetKey(), r.GetFingerprint())
	fingerprint := r.GetFingerprint()
	if fingerprint == "" {
		fingerprint = s.GossipFingerprint(r.GetKey())
	}
	if recorded := s.recordKeyChange(ctx, operation, fingerprint, nodes, err); recorded != nil {
		return nil, recorded
	}
	if err != nil {
		return nil, s.keyChangeFailed(err)
	}
	return &pb.ChangeGossipKeyResponse{Fingerprint: fingerprint, Nodes: nodeKeys(nodes)}, nil
}

// recordKeyChange puts a step on record once any node may have made it.
func (s *clusters) recordKeyChange(ctx context.Context, operation, fingerprint string, nodes []NodeKeys, failed error) error {
	if len(nodes) == 0 {
		return nil
	}
	outcome := "done"
	if failed != nil {
		outcome = "incomplete"
	}
	_, _, err := s.execute(ctx, change{least: Admin, payload: &pb.Payload{Command: &pb.Payload_RecordAction{
		RecordAction: &pb.RecordActionCommand{
			Action: "gossip_key." + operation, Object: fingerprint, Detail: fmt.Sprintf("nodes=%d %s", len(nodes), outcome),
		},
	}}})
	return err
}

// keyChangeFailed says what is missing. Every step may be repeated, so that nothing is unknown.
func (s *clusters) keyChangeFailed(err error) error {
	var p *problem
	if known := s.recognise(err); errors.As(known, &p) && known != nil {
		return p
	}
	return &problem{failure: Precondition, reason: "gossip_key", message: err.Error() + "; the step may be repeated"}
}

func nodeKeys(list []NodeKeys) []*pb.NodeGossipKeys {
	messages := make([]*pb.NodeGossipKeys, len(list))
	for i, n := range list {
		messages[i] = &pb.NodeGossipKeys{NodeId: n.NodeID, Primary: n.Primary, Keys: n.Keys, Error: n.Problem}
	}
	return messages
}
