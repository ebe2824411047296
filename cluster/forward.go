package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// forward hands a command to the leader. The attempt ends when another leader
// is known: the old one may be cut off and never answer.
func (n *Node) forward(ctx context.Context, leader string, data []byte) (fsm.Result, error) {
	var result fsm.Result
	err := n.ask(ctx, leader, func(ctx context.Context, client pb.PeerServiceClient) error {
		response, err := client.Propose(ctx, &pb.ProposeRequest{Envelope: data})
		if err != nil {
			return err
		}
		result, err = fsm.DecodeResult(response.GetResult())
		return err
	})
	return result, err
}

// ask calls the leader for as long as it is the leader.
func (n *Node) ask(ctx context.Context, leader string, call func(context.Context, pb.PeerServiceClient) error) error {
	conn, err := n.dial(leader)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoLeader, err)
	}
	ctx, sent := withSent(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !n.tasks.start(func() { n.cancelOnChange(ctx, cancel, leader) }) {
		return ErrStopping
	}
	err = call(ctx, pb.NewPeerServiceClient(conn))
	if err == nil {
		return nil
	}
	return peerError(err, sent.Load())
}

func (n *Node) cancelOnChange(ctx context.Context, cancel context.CancelFunc, leader string) {
	for {
		changed := n.leaders.changed()
		if id, _ := n.leader(); id != leader {
			// It may be answering just now, such as when it gave the leadership away.
			pause(ctx, n.cfg.electionTimeout())
			cancel()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// noLeader says why there is none, as far as this node can tell; or that the
// node stops.
func (n *Node) noLeader(cause error) error {
	switch {
	case errors.Is(cause, ErrStopping) && n.stopping.Load():
		return cause
	case n.stopping.Load():
		return fmt.Errorf("%w: %w", ErrStopping, cause)
	}
	var reachable, others []string
	for _, s := range n.configuration() {
		id := string(s.ID)
		m, ok := n.gossip.get(id)
		if id == n.cfg.NodeID || ok && m.Status == MemberAlive {
			reachable = append(reachable, id)
		} else {
			others = append(others, id)
		}
	}
	if len(reachable)+len(others) == 0 {
		return fmt.Errorf("%w: this node is not in a cluster yet (%w)", ErrNoLeader, cause)
	}
	return fmt.Errorf("%w: no leader; of the voters that a majority is needed of, gossip last saw %s and not %s (%w)",
		ErrNoLeader, list(reachable), list(others), cause)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
