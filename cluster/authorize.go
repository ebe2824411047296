package cluster

import (
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Authorizer decides again, on the leader, what another node let in: by who
// asked, not by the node that sends it on.
type Authorizer interface {
	// Command says whether the caller may give a command; an error says why not.
	Command(caller *pb.Caller, payload *pb.Payload) error
	// Membership says whether the caller may change the configuration.
	Membership(caller *pb.Caller) error
}

// authorizeCommand checks a command that another node sent on.
func (n *Node) authorizeCommand(data []byte) error {
	if n.cfg.Authorizer == nil {
		return nil
	}
	caller, payload, err := fsm.Peek(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnapplicable, err)
	}
	if err := n.cfg.Authorizer.Command(caller, payload); err != nil {
		return n.denied(caller, err)
	}
	return nil
}

func (n *Node) authorizeMembership(caller *pb.Caller) error {
	if n.cfg.Authorizer == nil {
		return nil
	}
	if err := n.cfg.Authorizer.Membership(caller); err != nil {
		return n.denied(caller, err)
	}
	return nil
}

func (n *Node) denied(caller *pb.Caller, err error) error {
	n.log.Warn("forwarded call denied", "identity", caller.GetIdentity(), "authentication", caller.GetAuthentication(),
		"source", caller.GetSource(), "reason", err.Error())
	return fmt.Errorf("%w: %w", ErrDenied, err)
}
