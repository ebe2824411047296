package cluster

import (
	"errors"
	"fmt"
)

// What a proposal can fail with. All but ErrUnknownOutcome mean that it was not
// and will not be executed.
var (
	// ErrNotLeader: the command may be executed by one leader in one term only,
	// and this node is not, or no longer, it.
	ErrNotLeader = errors.New("this node is not the leader of that term")
	// ErrNoLeader: no leader was found within the deadline.
	ErrNoLeader = errors.New("no quorum")
	// ErrOverloaded: too many commands are in flight.
	ErrOverloaded = errors.New("too many commands are in flight")
	// ErrTooLarge: the command exceeds MaxCommandBytes.
	ErrTooLarge = errors.New("the command is too large")
	// ErrUnapplicable: the leader tried the command and it would have halted every node.
	ErrUnapplicable = errors.New("the command cannot be applied")
	// ErrDenied: whoever asked may not, as the leader sees it.
	ErrDenied = errors.New("denied")
	// ErrStopping: the node is on its way down.
	ErrStopping = errors.New("this node is stopping")
	// ErrUnknownOutcome: the command may or may not be executed, now or later.
	// Repeat it with the same request id.
	ErrUnknownOutcome = errors.New("the outcome is unknown: retry with the same request id")
)

// What a change of membership can fail with.
var (
	ErrUnknownNode     = errors.New("no such node in the cluster")
	ErrLastVoter       = errors.New("the last voter cannot be removed")
	ErrWouldLoseQuorum = errors.New("the cluster would lose its quorum")
	ErrNotVoter        = errors.New("the node has no vote")
	ErrForeignCluster  = errors.New("the node belongs to another cluster")
	ErrAddressInUse    = errors.New("another node has that raft address")
	// ErrFormat: the cluster has taken a format into use that the node's build does
	// not know, or no longer uses the one that it knows.
	ErrFormat = errors.New("this build does not speak the format that the cluster uses")
)

// What a node's Run ends with.
var (
	// ErrHalted: an entry of the log must not be skipped and cannot be applied.
	ErrHalted = errors.New("this node has halted")
	// ErrStalled: the leader's own entries do not commit although its process runs.
	ErrStalled = errors.New("the leader's log is stalled")
	// ErrDiverged: a majority of the voters has another state at the same index.
	ErrDiverged = errors.New("this node's state is not that of the cluster: its log is set aside and it joins anew when it is started again")
	// ErrDamagedLog: an entry on this node's disk is not what was written.
	ErrDamagedLog = errors.New("the raft log is damaged")
	// ErrDamagedSnapshot: a snapshot on this node's disk is not what was written.
	ErrDamagedSnapshot = errors.New("a raft snapshot is damaged")
	// ErrDiskFailed: what the disk holds is not known since a write to it failed.
	ErrDiskFailed = errors.New("a write to this node's disk failed")
	// ErrOldDisk: another node knows more of this data directory than is in it.
	ErrOldDisk = errors.New("this data directory is an older copy: votes and entries that this node has acknowledged are missing; " +
		"empty Cluster.DataDirectory and start it again, it joins as a learner")
	// ErrDataDirectory: it cannot be used as it is.
	ErrDataDirectory = errors.New("the data directory cannot be used")
)

// NotExecuted reports whether an error of Propose, Remove or Transfer means
// that nothing was and nothing will be executed.
func NotExecuted(err error) bool {
	if err == nil || errors.Is(err, ErrUnknownOutcome) {
		return false
	}
	for _, row := range refusals {
		if errors.Is(err, row.err) {
			return true
		}
	}
	return false
}

// executedMaybe marks an error as one of unknown outcome.
func executedMaybe(cause error) error {
	return fmt.Errorf("%w (%w)", ErrUnknownOutcome, cause)
}
