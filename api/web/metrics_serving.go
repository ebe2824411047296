package web

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/honua-io/honua-gitops/fsm"
)

// servingCollector tells what each node is known to serve, and what it is to
// serve. Of its own node it asks the registry, which knows first.
type servingCollector struct {
	node                                     Node
	served, digest, active, available, drift *prometheus.Desc
}

func newServingCollector(node Node) *servingCollector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("honua_gitops_"+name, help, labels, nil)
	}
	return &servingCollector{
		node:      node,
		served:    d("served_activation_index", "Activation index that a node is known to serve.", "environment", "node"),
		digest:    d("served_digest_info", "Always 1; the labels name the content that a node is known to serve.", "environment", "node", "digest"),
		active:    d("active_activation_index", "Activation index that every node is to serve; 0 before the first.", "environment"),
		available: d("node_available", "1 while the node takes part in deployments.", "node"),
		drift:     d("drift", "1 while something that this node serves is broken, such as a data file that vanished.", "environment", "node"),
	}
}

// Describe sends the descriptions.
func (c *servingCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.served, c.digest, c.active, c.available, c.drift} {
		out <- d
	}
}

// Collect sends the values of one state.
func (c *servingCollector) Collect(out chan<- prometheus.Metric) {
	state, self := c.node.State(), c.node.Contact().NodeID
	for e := range state.Environments() {
		if e.Retired {
			continue
		}
		index := uint64(0)
		if e.Active != nil {
			index = e.Active.Index
		}
		gauge(out, c.active, float64(index), e.Name)
	}
	for n := range state.Nodes() {
		gauge(out, c.available, truth(n.Available), n.ID)
		if n.ID == self {
			continue
		}
		for _, s := range n.Serves {
			c.serve(out, n.ID, s)
		}
	}
	for _, s := range c.node.Serving() {
		c.serve(out, self, fsm.Served{Environment: s.Environment, Index: s.Index, Digest: s.Digest})
		if s.Digest != "" {
			gauge(out, c.drift, truth(s.Drift != "" || s.Problem != ""), s.Environment, self)
		}
	}
}

func (c *servingCollector) serve(out chan<- prometheus.Metric, node string, s fsm.Served) {
	if s.Digest == "" {
		return
	}
	gauge(out, c.served, float64(s.Index), s.Environment, node)
	gauge(out, c.digest, 1, s.Environment, node, s.Digest)
}
