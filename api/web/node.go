package web

import (
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// Node is what health and metrics look at. Its methods must not block.
type Node interface {
	// State returns the newest state that the node has applied.
	State() *fsm.State
	// Contact returns the node's place in the raft group.
	Contact() Contact
	// Serving returns what the node's registry serves, one entry for each environment.
	Serving() []Served
	// Drift returns how the node differs from what is deployed, by environment and kind.
	Drift() []Drift
}

// Contact is a node's place in the raft group.
type Contact struct {
	NodeID string
	// LeaderID is empty while no leader is known.
	LeaderID string
	// Leader: this node leads.
	Leader bool
	// HasQuorum: it leads, or hears from a leader, with a majority.
	HasQuorum bool
	// CaughtUp: since its start it once had everything that was acknowledged.
	CaughtUp     bool
	Term         uint64
	AppliedIndex uint64
	CommitIndex  uint64
	// Writing is how long the write to its log has taken that is under way.
	Writing time.Duration
	// Halted is why it applies nothing any more; nil if it does.
	Halted error
	// Backups are nil where none are configured.
	Backups *Backups
	// DifferingSettings are the keys of the node's settings file that are not what
	// is in force. Overruled: an admin decided so.
	DifferingSettings []string
	Overruled         bool
	// Unwritten is why a state or approval file cannot be written; empty if all can.
	Unwritten string
}

// Backups is how the scheduled backups of a node are doing. Counters grow from
// the start of the process.
type Backups struct {
	Directory string
	Interval  time.Duration
	// LastSuccess is when the newest backup in the directory was made; zero if there is none.
	LastSuccess time.Time
	// Err is why the newest attempt failed; nil if it did not.
	Err           error
	Saved, Failed uint64
	// Size is that of the newest backup that this process made, bytes.
	Size int64
}

// Served is what a registry serves of one environment.
type Served struct {
	Environment string
	// Epoch and Index name the activation.
	Epoch  uint64
	Index  uint64
	Digest string
	// Problem is why it is not served as it should be, and Drift what broke of it since; empty if nothing.
	Problem string
	Drift   string
}

// Drift is how much drift of one kind a node found in an environment.
type Drift struct {
	Environment string
	// Kind is content, catalog, file or source.
	Kind string
	// Open could not be put right, when it was last looked at.
	Open int
	// Found and Corrected count since the process began.
	Found, Corrected uint64
}
