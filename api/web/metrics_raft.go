package web

import "github.com/prometheus/client_golang/prometheus"

// raftCollector tells a node's place in the raft group.
type raftCollector struct {
	node                                                               Node
	leader, hasLeader, quorum, term, applied, commit, caughtUp, halted *prometheus.Desc
}

func newRaftCollector(node Node) *raftCollector {
	d := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("honua_raft_"+name, help, nil, nil)
	}
	return &raftCollector{
		node:      node,
		leader:    d("is_leader", "1 on the node that leads."),
		hasLeader: d("has_leader", "1 while this node knows a leader."),
		quorum:    d("has_quorum", "1 while a leader is in contact with a majority, as far as this node sees."),
		term:      d("term", "Raft term; it grows with each election."),
		applied:   d("applied_index", "Index of the newest entry that this node has applied."),
		commit:    d("commit_index", "Index of the newest entry that this node knows to be committed."),
		caughtUp:  d("caught_up", "1 once this node has had everything that was acknowledged since its start."),
		halted:    d("halted", "1 if this node applies nothing any more."),
	}
}

// Describe sends the descriptions.
func (c *raftCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.leader, c.hasLeader, c.quorum, c.term, c.applied, c.commit, c.caughtUp, c.halted} {
		out <- d
	}
}

// Collect sends the values of one moment.
func (c *raftCollector) Collect(out chan<- prometheus.Metric) {
	contact := c.node.Contact()
	gauge(out, c.leader, truth(contact.Leader))
	gauge(out, c.hasLeader, truth(contact.LeaderID != ""))
	gauge(out, c.quorum, truth(contact.HasQuorum))
	gauge(out, c.term, float64(contact.Term))
	gauge(out, c.applied, float64(contact.AppliedIndex))
	gauge(out, c.commit, float64(contact.CommitIndex))
	gauge(out, c.caughtUp, truth(contact.CaughtUp))
	gauge(out, c.halted, truth(contact.Halted != nil))
}
