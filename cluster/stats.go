package cluster

import (
	"time"

	"github.com/hashicorp/raft"
)

// Stats are numbers for metrics; counters grow from the start of the process.
type Stats struct {
	Term, AppliedIndex, CommitIndex, LastLogIndex uint64
	Leader, HasLeader                             bool
	// LastContact is how long ago a follower heard its leader; 0 on the leader.
	LastContact time.Duration
	// Commits are this leader's proposals that ended, CommitTime all that they
	// took, LastCommit what the newest took.
	Commits                uint64
	CommitTime, LastCommit time.Duration
	// CommitBuckets counts them by duration: those up to a bound, smaller ones included.
	CommitBuckets map[time.Duration]uint64
	// InFlight are proposals that have not ended.
	InFlight int
	// Refused and Unknown are proposals made at this node that were not executed,
	// or whose outcome is not known.
	Refused, Unknown uint64
	// LogWrites are writes to the log, each with an fsync; LogWriteTime is their sum.
	LogWrites    uint64
	LogWriteTime time.Duration
	// MembersAlive and MembersFailed are gossip's view.
	MembersAlive, MembersFailed int
	// PeerContact is how long ago each follower answered this leader.
	PeerContact map[string]time.Duration
}

// Stats returns the numbers of this moment.
func (n *Node) Stats() Stats {
	s := Stats{
		AppliedIndex: n.store.State().Index(), InFlight: len(n.proposals.slots),
		Refused: n.proposals.refused.Load(), Unknown: n.proposals.unknown.Load(),
		LogWrites: n.disk.checked.writes.Load(), LogWriteTime: time.Duration(n.disk.checked.written.Load()),
		PeerContact: map[string]time.Duration{},
	}
	n.proposals.stats(&s)
	for _, m := range n.gossip.all() {
		switch m.Status {
		case MemberAlive:
			s.MembersAlive++
		case MemberFailed:
			s.MembersFailed++
		}
	}
	if r := n.raft.Load(); r != nil {
		n.raftStats(&s, r)
	}
	return s
}

func (p *proposals) stats(s *Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Commits, s.CommitTime, s.LastCommit = p.count, p.spent, p.last
	s.CommitBuckets = make(map[time.Duration]uint64, len(commitBounds))
	sum := uint64(0)
	for i, bound := range commitBounds {
		sum += p.buckets[i]
		s.CommitBuckets[bound] = sum
	}
}

func (n *Node) raftStats(s *Stats, r *raft.Raft) {
	id, _ := n.leader()
	s.Term, s.CommitIndex, s.LastLogIndex = r.CurrentTerm(), r.CommitIndex(), r.LastIndex()
	s.Leader, s.HasLeader = r.State() == raft.Leader, id != ""
	if !s.Leader {
		if last := r.LastContact(); !last.IsZero() {
			s.LastContact = time.Since(last)
		}
		return
	}
	for _, server := range n.configuration() {
		if last := n.contacts.get(server.ID).at; !last.IsZero() {
			s.PeerContact[string(server.ID)] = time.Since(last)
		}
	}
}
