package web

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/honua-io/honua-gitops/fsm"
)

// deliveryCollector tells how long changes and their corrections take: two of
// the four DORA figures. The other two are quotients of counters that the
// replicated state has anyway.
type deliveryCollector struct {
	node              Node
	leadTime, restore *prometheus.Desc
}

func newDeliveryCollector(node Node) *deliveryCollector {
	d := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("honua_gitops_"+name, help, []string{"environment"}, nil)
	}
	return &deliveryCollector{
		node:     node,
		leadTime: d("lead_time_seconds", "Seconds from the commit of the newest deployment until it was activated."),
		restore:  d("restore_time_seconds", "Seconds for which the content that was rolled away from last had been active."),
	}
}

// Describe sends the descriptions.
func (c *deliveryCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.leadTime
	out <- c.restore
}

// Collect sends the values of one state. What never happened has no series.
func (c *deliveryCollector) Collect(out chan<- prometheus.Metric) {
	state := c.node.State()
	for e := range state.Environments() {
		if !e.Retired {
			c.collect(out, state, e.Name)
		}
	}
}

func (c *deliveryCollector) collect(out chan<- prometheus.Metric, state *fsm.State, environment string) {
	led, restored := false, false
	// The newest first; later is the one that came after.
	var later *fsm.Activation
	for a := range state.Activations(environment) {
		if !led && a.Kind == fsm.Deploy {
			led = true
			if d := state.Deployment(a.DeploymentID); d != nil && d.CommittedAt > 0 {
				gauge(out, c.leadTime, max(0, float64(a.At-d.CommittedAt)/1000), environment)
			}
		}
		if !restored && later != nil && later.Kind == fsm.Rollback {
			restored = true
			gauge(out, c.restore, max(0, float64(later.At-a.At)/1000), environment)
		}
		if led && restored {
			return
		}
		later = a
	}
}
