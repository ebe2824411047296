package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// vettingNotice is how often a node says that it still waits for its peers.
const vettingNotice = 10 * time.Second

// currentTermKey is raft's own.
var currentTermKey = []byte("CurrentTerm")

// standing is how far this disk has come.
func (s *storage) standing() (found standing, err error) {
	found.Term, err = s.votes.GetUint64(currentTermKey)
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return found, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	if found.Index, err = s.log.LastIndex(); err != nil {
		return found, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	snapshots, err := s.snapshots.List()
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	for _, snapshot := range snapshots {
		found.Index = max(found.Index, snapshot.Index)
	}
	return found, nil
}

// vet asks the peers what they know of this data directory, before raft's
// transport opens: a node that was set back to an older copy of its disk would
// vote twice in a term, and could lead without entries that were acknowledged.
// The transport stays closed until as many voters have answered as there must be
// for anything to be decided: whoever could count this node's vote has been
// asked, or has been answered by somebody who has.
func (n *Node) vet(ctx context.Context, own standing) error {
	last := time.Now()
	for ctx.Err() == nil {
		changed := n.gossip.changed.changed()
		replies := n.askVoters(ctx)
		for id, reply := range replies {
			if err := judge(id, reply, own); err != nil {
				return err
			}
		}
		if len(replies) >= n.neededAnswers() {
			n.transport.stream.vetted.Store(true)
			n.log.Debug("the other nodes know nothing that this disk lacks", "asked", len(replies))
			return nil
		}
		if time.Since(last) >= vettingNotice {
			last = time.Now()
			n.log.Warn("waiting for other nodes: none may know of votes or entries that this disk lacks", "answers", len(replies), "needed", n.neededAnswers())
		}
		timer := time.NewTimer(entryPoll)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// judge refuses to go on with a disk that a peer knows more of, and with a
// build that does not speak what the cluster speaks.
func judge(peer string, reply *pb.GetPeerStateResponse, own standing) error {
	if known := (standing{Term: reply.GetCallerTerm(), Index: reply.GetCallerIndex()}); known.Term > own.Term || known.Index > own.Index {
		return fmt.Errorf("%w: %s knows that it had come to term %d and index %d, here it ends with term %d and index %d",
			ErrOldDisk, peer, known.Term, known.Index, own.Term, own.Index)
	}
	return speaks(reply.GetFormat(), fsm.FormatVersion, fsm.OldestFormat)
}

// neededAnswers is how many other voters make a majority, with this node if it votes.
func (n *Node) neededAnswers() int {
	voters, self := 0, 0
	for _, s := range n.configuration() {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if string(s.ID) == n.cfg.NodeID {
			self = 1
		}
	}
	return max(voters/2+1-self, 0)
}

// askVoters asks all other voters of the configuration; those that do not
// answer, or are of another cluster, are not in the result.
func (n *Node) askVoters(ctx context.Context) map[string]*pb.GetPeerStateResponse {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		pending sync.WaitGroup
		replies = map[string]*pb.GetPeerStateResponse{}
	)
	for _, s := range n.configuration() { // which is raft's own: it is only read
		if s.Suffrage != raft.Voter || string(s.ID) == n.cfg.NodeID {
			continue
		}
		id := string(s.ID)
		address := n.grpcAddress(id)
		if address == "" {
			continue
		}
		pending.Go(func() {
			reply, err := n.askPeer(ctx, Member{ID: id, GRPC: address})
			if err != nil || reply.GetClusterId() != "" && n.clusterID() != "" && reply.GetClusterId() != n.clusterID() {
				n.log.Debug("a peer does not tell what it knows of this node", "peer", id, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			replies[id] = reply
		})
	}
	pending.Wait()
	return replies
}
