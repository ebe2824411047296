package admin

import (
	"context"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Proposer has the cluster execute a command.
type Proposer interface {
	// Propose returns what the command came to. issuedAt is in Unix
	// milliseconds. An error means that it is not known to be executed;
	// Config.Classify says which errors mean that it is not.
	Propose(ctx context.Context, requestID string, issuedAt int64, caller *pb.Caller, payload *pb.Payload) (fsm.Result, error)
}

// Reader answers linearizable reads (I8).
type Reader interface {
	// Linearize returns a state that reflects every change acknowledged before the call.
	Linearize(ctx context.Context) (*fsm.State, error)
}

// Store is the node's own state; *fsm.Store is one.
type Store interface {
	// State returns the newest state.
	State() *fsm.State
	// Changed returns a channel that is closed at the next change.
	Changed() <-chan struct{}
	// Wait returns the first state whose index is at least the given one.
	Wait(ctx context.Context, index uint64) (*fsm.State, error)
}

// Membership shows and changes the raft group.
type Membership interface {
	// Status never blocks: it is what this node knows.
	Status() Status
	// Members returns what gossip sees.
	Members() []Member
	// Transfer hands leadership to a node; empty: to the most up-to-date voter.
	Transfer(ctx context.Context, caller *pb.Caller, nodeID string) error
	// Remove takes a node out of the configuration and returns the raft index.
	Remove(ctx context.Context, caller *pb.Caller, nodeID string) (index uint64, err error)
	// Add admits a running node at a gossip address and returns its id and the raft index.
	Add(ctx context.Context, address string) (nodeID string, index uint64, err error)
}

// Inspector asks a node how it is.
type Inspector interface {
	// NodeStatus asks one node; the context bounds the wait.
	NodeStatus(ctx context.Context, nodeID string) (*pb.GetNodeStatusResponse, error)
	// InspectDrift has one node, this one too, compare what it has of an environment with what is deployed.
	InspectDrift(ctx context.Context, nodeID, environment string) (*pb.InspectDriftResponse, error)
}

// Status is what a node knows of the raft group.
type Status struct {
	NodeID string
	// LeaderID is empty while no leader is known.
	LeaderID string
	// LeaderAddress is the leader's gRPC address, if it is known.
	LeaderAddress string
	Term          uint64
	AppliedIndex  uint64
	CommitIndex   uint64
	// HasQuorum: a leader is in contact with a majority, as far as this node sees.
	HasQuorum bool
	// Servers are the members of the raft configuration.
	Servers []RaftServer
	// Halted is why this node applies nothing any more; nil if it does.
	Halted error
}

// RaftServer is one member of the raft configuration.
type RaftServer struct {
	ID          string
	RaftAddress string
	Voter       bool
}

// Member is a node as gossip sees it.
type Member struct {
	ID      string
	Address string
	// Status is alive, suspect, dead or left.
	Status      string
	RaftAddress string
	GRPCAddress string
	HTTPAddress string
	Voter       bool
	Version     string
}
