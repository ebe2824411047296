package leader

import (
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Inputs is everything that Plan looks at. Times are Unix milliseconds.
type Inputs struct {
	State *fsm.State
	// Format is the newest that this build knows.
	Format uint32
	// Now is the leader's clock. ClockTrusted: it is near the voters' median;
	// without that no decision is taken that depends on the time of day.
	Now          int64
	ClockTrusted bool
	// Voters are the ids of the raft configuration's voters.
	Voters []string
	// Members are the ids of all its servers.
	Members []string
	Peers   map[string]Peer
	// Polls are the newest polls, by branch, that are not on record yet.
	Polls      map[string]Poll
	Candidates map[string]*Candidate
	Answers    map[Question]Answer
}

// Peer is what the leader sees of a node.
type Peer struct {
	// SilentMs is how long raft has not heard of it; 0 for the leader itself.
	SilentMs int64
	// Status is the newest answer to GetNodeStatus, nil if there is none.
	Status *pb.GetNodeStatusResponse

	// skew is how far its clock was ahead of this node's when it said so.
	skew time.Duration
}

// Poll is what asking the repository for a branch's head came to.
type Poll struct {
	Branch string
	Head   string
	// Code and Err are set if it failed.
	Code, Err  string
	Generation uint64
	NextPoll   int64
}

// Question identifies one thing that one node is asked.
type Question struct {
	Environment string
	Operation   uint64
	Node        string
	Verify      bool
}

// Answer is what the node said.
type Answer struct {
	Incarnation string
	Accepted    bool
	Problems    []string
	Services    uint32
}

// Proposal is a command that the leader half decided on. Two proposals with the
// same key are never under way at once.
type Proposal struct {
	Key     string
	Payload *pb.Payload
}

// Decisions is what to do now.
type Decisions struct {
	Proposals []Proposal
	Questions []Question
	// Uploads are the environments whose candidate's content is to be uploaded.
	Uploads []string
	// Reread are the branches with a candidate that was compared with something else.
	Reread []string
	// Wake is when time alone may change the answer; 0 if it cannot.
	Wake int64
}

func (d *Decisions) propose(key string, payload *pb.Payload) {
	d.Proposals = append(d.Proposals, Proposal{Key: key, Payload: payload})
}

// wakeAt asks for another look at a time, if it is the earliest one.
func (d *Decisions) wakeAt(at int64) {
	if at > 0 && (d.Wake == 0 || at < d.Wake) {
		d.Wake = at
	}
}
