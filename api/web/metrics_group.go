package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Group are numbers of a node's part in replication and gossip. Counters grow
// from the start of the process.
type Group struct {
	// Commits are the proposals that ended on this node while it led, CommitTime
	// all that they took, CommitBuckets how many took up to a bound, smaller ones included.
	Commits       uint64
	CommitTime    time.Duration
	CommitBuckets map[time.Duration]uint64
	// InFlight are proposals that have not ended; Refused and Unknown those that
	// were not executed, or whose outcome is not known.
	InFlight         int
	Refused, Unknown uint64
	// LogWrites are writes to the log, each with an fsync; LogWriteTime is their sum.
	LogWrites    uint64
	LogWriteTime time.Duration
	// LastContact is how long ago a follower heard its leader; 0 on the leader.
	LastContact time.Duration
	// PeerContact is how long ago each follower answered this leader; empty elsewhere.
	PeerContact map[string]time.Duration
	// MembersAlive and MembersFailed are gossip's view.
	MembersAlive, MembersFailed int
}

// groupCollector tells how replication and gossip do.
type groupCollector struct {
	group func() Group

	commit, logWrites, inFlight, proposals, leaderContact, peerContact, members *prometheus.Desc
}

// NewGroupCollector makes the metrics of what group returns at each scrape.
func NewGroupCollector(group func() Group) prometheus.Collector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("honua_"+name, help, labels, nil)
	}
	return &groupCollector{
		group:         group,
		commit:        d("raft_commit_duration_seconds", "Seconds from a proposal at this node, as the leader, until it was committed and applied, or failed."),
		logWrites:     d("raft_log_write_duration_seconds", "Seconds that writes to this node's log took, each with an fsync."),
		inFlight:      d("raft_proposals_in_flight", "Proposals of this leader that have not ended."),
		proposals:     d("raft_proposal_failures_total", "Proposals at this node that were not executed (refused), or whose outcome is not known (unknown).", "outcome"),
		leaderContact: d("raft_leader_last_contact_seconds", "How long ago this node heard from its leader; 0 on the leader."),
		peerContact:   d("raft_peer_last_contact_seconds", "How long ago a follower answered this leader.", "peer"),
		members:       d("gossip_members", "Members that gossip sees, by status.", "status"),
	}
}

// Describe sends the descriptions.
func (c *groupCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.commit, c.logWrites, c.inFlight, c.proposals, c.leaderContact, c.peerContact, c.members} {
		out <- d
	}
}

// Collect sends the numbers of one moment.
func (c *groupCollector) Collect(out chan<- prometheus.Metric) {
	g := c.group()
	buckets := make(map[float64]uint64, len(g.CommitBuckets))
	for bound, n := range g.CommitBuckets {
		buckets[bound.Seconds()] = n
	}
	out <- prometheus.MustNewConstHistogram(c.commit, g.Commits, g.CommitTime.Seconds(), buckets)
	out <- prometheus.MustNewConstSummary(c.logWrites, g.LogWrites, g.LogWriteTime.Seconds(), nil)
	gauge(out, c.inFlight, float64(g.InFlight))
	out <- prometheus.MustNewConstMetric(c.proposals, prometheus.CounterValue, float64(g.Refused), "refused")
	out <- prometheus.MustNewConstMetric(c.proposals, prometheus.CounterValue, float64(g.Unknown), "unknown")
	gauge(out, c.leaderContact, g.LastContact.Seconds())
	for peer, since := range g.PeerContact {
		gauge(out, c.peerContact, since.Seconds(), peer)
	}
	gauge(out, c.members, float64(g.MembersAlive), "alive")
	gauge(out, c.members, float64(g.MembersFailed), "failed")
}
