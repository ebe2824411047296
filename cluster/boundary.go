package cluster

import (
	"bytes"
	"errors"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// boundaryLog knows the entry at which the newest snapshot ends. A follower that was given a snapshot has no such
// entry in its log, or one that its leader does not have. raft asks its log for it nevertheless when the leader sends
// what follows the snapshot once more: an answer was lost, say. It does not find it, the leader steps back to before
// the snapshot, finds that its own log does not reach so far back, sends the same snapshot again, and so on, for as
// long as its snapshot is not newer than the follower's log: on a quiet cluster for ever
// (https://github.com/hashicorp/raft/issues/697 is of the second case). What a snapshot ends with is committed, so
// that its term is all that has to be compared: Ongaro and Ousterhout, In Search of an Understandable Consensus
// Algorithm, figure 13; see docs/decisions/0013.
type boundaryLog struct {
	raft.LogStore
	// end is that of the newest snapshot; nil before there is one.
	end *atomic.Pointer[boundary]
	// leads: a leader reads entries in order to send them, and must find what is there only.
	leads func() bool
}

// boundary is the last entry that a snapshot covers.
type boundary struct{ index, term uint64 }

// boundaryMark is in the extensions of an entry that stands for the end of a snapshot, and is none.
var boundaryMark = []byte("the end of a snapshot")

// GetLog answers with index and term alone where a snapshot ends and the log has nothing that fits.
func (l *boundaryLog) GetLog(index uint64, log *raft.Log) error {
	err := l.LogStore.GetLog(index, log)
	end := l.end.Load()
	if end == nil || end.index != index || l.leads() || err != nil && !errors.Is(err, raft.ErrLogNotFound) || err == nil && log.Term == end.term {
		return err
	}
	*log = raft.Log{Index: end.index, Term: end.term, Type: raft.LogNoop, Extensions: boundaryMark}
	return nil
}

// errBoundary keeps an entry that is none from being sent: a replication that began while this node led may read it
// after its end.
var errBoundary = errors.New("this node leads no more")

// sendable refuses requests with an entry that stands for the end of a snapshot.
func sendable(args *raft.AppendEntriesRequest) error {
	for _, entry := range args.Entries {
		if entry.Type == raft.LogNoop && bytes.Equal(entry.Extensions, boundaryMark) {
			return errBoundary
		}
	}
	return nil
}
