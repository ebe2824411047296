package web

import "github.com/prometheus/client_golang/prometheus"

// driftCollector tells how this node differs from what is deployed.
type driftCollector struct {
	node                   Node
	open, found, corrected *prometheus.Desc
}

func newDriftCollector(node Node) *driftCollector {
	d := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("honua_gitops_drift"+name, help, []string{"environment", "kind"}, nil)
	}
	return &driftCollector{
		node:      node,
		open:      d("_open", "Differences between what is deployed and what this node has that it could not put right, when it last looked."),
		found:     d("_found_total", "Differences between what is deployed and what this node has; what stays broken is counted once."),
		corrected: d("_corrected_total", "Differences that this node put right."),
	}
}

// Describe sends the descriptions.
func (c *driftCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.open, c.found, c.corrected} {
		out <- d
	}
}

// Collect sends the values.
func (c *driftCollector) Collect(out chan<- prometheus.Metric) {
	for _, d := range c.node.Drift() {
		gauge(out, c.open, float64(d.Open), d.Environment, d.Kind)
		out <- prometheus.MustNewConstMetric(c.found, prometheus.CounterValue, float64(d.Found), d.Environment, d.Kind)
		out <- prometheus.MustNewConstMetric(c.corrected, prometheus.CounterValue, float64(d.Corrected), d.Environment, d.Kind)
	}
}
