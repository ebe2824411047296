package cluster

import (
	"time"

	"github.com/hashicorp/raft"
)

// State is what a node does in the group.
type State string

// The states of a node.
const (
	// StateJoining: not in a cluster yet.
	StateJoining   State = "Joining"
	StateFollower  State = "Follower"
	StateCandidate State = "Candidate"
	StateLeader    State = "Leader"
	// StateRemoved: an operator removed the node; it returns when it is restarted.
	StateRemoved State = "Removed"
	StateHalted  State = "Halted"
	StateStopped State = "Stopped"
)

// Server is one member of the raft configuration.
type Server struct {
	ID      string
	Address string
	Voter   bool
}

// Status is what a node knows of its place. It is stale by nature.
type Status struct {
	NodeID, Incarnation, ClusterID string
	State                          State
	Term                           uint64
	// LeaderID and LeaderGRPC are empty while no leader is known.
	LeaderID, LeaderGRPC string
	// AppliedIndex is the newest command of the state; CommitIndex counts raft's
	// own entries too.
	AppliedIndex, CommitIndex uint64
	// HasQuorum: this node leads with, or hears from a leader with, a quorum.
	HasQuorum bool
	Servers   []Server
	// CaughtUp: since its start, this node once had everything that was acknowledged.
	CaughtUp bool
	// LastContact is when a follower last heard from its leader.
	LastContact time.Time
	// Writing is how long the write to the log has taken that is under way.
	Writing time.Duration
	// Fatal is why the node halted, or nil.
	Fatal error
}

// Status returns this node's view of the cluster.
func (n *Node) Status() Status {
	s := Status{
		NodeID: n.cfg.NodeID, Incarnation: n.Incarnation(), ClusterID: n.clusterID(),
		State: StateJoining, AppliedIndex: n.store.State().Index(),
		CaughtUp: n.caughtUp.Load(), Fatal: n.adapter.failure(), Writing: n.disk.checked.writing(),
	}
	r := n.raft.Load()
	if r == nil {
		return s
	}
	id, self := n.leader()
	s.State, s.Term, s.CommitIndex = n.state(r), r.CurrentTerm(), r.CommitIndex()
	s.LastContact = r.LastContact()
	s.LeaderID = id
	if id != "" {
		s.LeaderGRPC = n.grpcAddress(id)
		s.HasQuorum = self || time.Since(s.LastContact) < n.contactWithin()
	}
	for _, server := range n.configuration() {
		s.Servers = append(s.Servers, Server{
			ID: string(server.ID), Address: string(server.Address), Voter: server.Suffrage == raft.Voter,
		})
	}
	return s
}

func (n *Node) state(r *raft.Raft) State {
	switch {
	case n.adapter.failure() != nil:
		return StateHalted
	case r.State() == raft.Shutdown:
		return StateStopped
	case n.removed.Load():
		return StateRemoved
	case r.State() == raft.Leader:
		return StateLeader
	case r.State() == raft.Candidate:
		return StateCandidate
	default:
		return StateFollower
	}
}

// clusterID is empty until the cluster's first command was applied here.
func (n *Node) clusterID() string {
	if id := n.store.State().Meta().ClusterID; id != "" {
		return id
	}
	return n.identity.get().ClusterID
}
