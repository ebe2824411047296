package cluster

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// rememberedStates is for how many indexes a node can tell its state's hash:
	// what a peer may be behind or ahead of it. States share nearly everything.
	rememberedStates = 128
	// compareInterval is between two comparisons with the peers.
	compareInterval = 5 * time.Second
)

// stateHashes knows the hash that the state had at its newest indexes. It is
// computed when somebody asks: for each entry it would cost as much as applying it.
type stateHashes struct {
	mu     sync.Mutex
	newest uint64
	ring   [rememberedStates]*fsm.State
}

func (h *stateHashes) note(state *fsm.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest = state.Index()
	h.ring[h.newest%rememberedStates] = state
}

// reset forgets what was before a snapshot.
func (h *stateHashes) reset(state *fsm.State) {
	h.mu.Lock()
	h.ring = [rememberedStates]*fsm.State{}
	h.mu.Unlock()
	h.note(state)
}

// at is the hash at an index; ok is false if it is not known.
func (h *stateHashes) at(index uint64) (hash [32]byte, ok bool) {
	h.mu.Lock()
	known := h.ring[index%rememberedStates]
	h.mu.Unlock()
	if known == nil || index == 0 || known.Index() != index {
		return hash, false
	}
	return known.Hash(), true
}

func (h *stateHashes) last() (index uint64, hash [32]byte, ok bool) {
	h.mu.Lock()
	index = h.newest
	h.mu.Unlock()
	hash, ok = h.at(index)
	return index, hash, ok
}

// GetStateHash answers a peer that compares.
func (s *peerService) GetStateHash(ctx context.Context, r *pb.GetStateHashRequest) (*pb.GetStateHashResponse, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	s.n.progress.note(r.GetNodeId(), r.GetIncarnation(), standing{Term: r.GetTerm(), Index: r.GetIndex()})
	if hash, ok := s.n.adapter.hashes.at(r.GetIndex()); ok {
		return &pb.GetStateHashResponse{Hash: hash[:]}, nil
	}
	return &pb.GetStateHashResponse{}, nil
}

// compareStates finds out that this node's state is not that of the others
// (I11): a flipped bit in memory, or a build that decides differently. A node
// that a majority of the voters disagrees with takes itself out and begins
// again with an empty log: what it would answer, vote or lead for is wrong.
func (n *Node) compareStates(ctx context.Context) error {
	for pause(ctx, compareInterval) {
		index, own, ok := n.adapter.hashes.last()
		if !ok {
			continue
		}
		verdict := n.verdict(ctx, index, own)
		if verdict == nil {
			continue
		}
		n.log.Error("this node's state differs from that of the other nodes", "index", index, "error", verdict)
		if !errors.Is(verdict, ErrDiverged) {
			continue
		}
		if err := quarantine(n.cfg.DataDirectory, verdict.Error()); err != nil {
			return errors.Join(verdict, err)
		}
		return verdict
	}
	return nil
}

// verdict is nil while nobody disagrees, wraps ErrDiverged if a majority of the
// voters has another state, and is another error if nobody has a majority.
func (n *Node) verdict(ctx context.Context, index uint64, own [32]byte) error {
	voters, others := 0, map[string]int{}
	for _, s := range n.configuration() {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if string(s.ID) == n.cfg.NodeID {
			continue
		}
		if hash := n.askHash(ctx, string(s.ID), index); hash != "" && hash != string(own[:]) {
			others[hash]++
		}
	}
	for hash, count := range others {
		if count*2 > voters {
			return fmt.Errorf("%w: at index %d it has hash %s, %d of %d voters have %s", ErrDiverged, index,
				hex.EncodeToString(own[:]), count, voters, hex.EncodeToString([]byte(hash)))
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("at index %d %d voters have another state, which is no majority of %d: compare `honua cluster status -o json` on each node", index, len(others), voters)
	}
	return nil
}

func (n *Node) askHash(ctx context.Context, id string, index uint64) string {
	conn, err := n.dial(id)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := pb.NewPeerServiceClient(conn).GetStateHash(ctx, &pb.GetStateHashRequest{
		Index: index, NodeId: n.cfg.NodeID, Incarnation: n.Incarnation(), Term: n.raft.Load().CurrentTerm(),
	})
	if err != nil {
		return ""
	}
	return string(answer.GetHash())
}
