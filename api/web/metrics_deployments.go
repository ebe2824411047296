package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/honua-io/honua-gitops/fsm"
)

// deploymentCollector reads the counts of the replicated state. The names and
// types without a unit are what existing alert rules name.
type deploymentCollector struct {
	node Node
	now  func() time.Time

	total, success, failure, duration          *prometheus.Desc
	pending, awaiting, oldestApproval, expired *prometheus.Desc
	rollbacks, holds, paused                   *prometheus.Desc
	lastPoll, outOfSync, health                *prometheus.Desc
}

func newDeploymentCollector(node Node, now func() time.Time) *deploymentCollector {
	d := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("honua_gitops_"+name, help, append([]string{"environment"}, more...), nil)
	}
	return &deploymentCollector{
		node: node, now: now,
		total:          d("reconciliations_total", "Reconciliation attempts; a successful poll that finds nothing is one."),
		success:        d("reconciliations_success", "Reconciliation attempts that succeeded."),
		failure:        d("reconciliations_failure", "Reconciliation attempts that failed."),
		duration:       d("reconciliation_duration", "Seconds from the beginning of a reconciliation to its end.", "status"),
		pending:        d("deployments_pending", "Deployments that wait for a window, a pause or their turn."),
		awaiting:       d("deployments_awaiting_approval", "Deployments that wait for approval."),
		oldestApproval: d("oldest_pending_approval_age_seconds", "How long the oldest deployment that awaits approval has waited; 0 if none does."),
		expired:        d("approval_timeout", "Deployments that nobody approved in time."),
		rollbacks:      d("rollbacks_total", "Rollbacks that were completed, automatic ones and others."),
		holds:          d("holds", "Contents that are kept from being deployed."),
		paused:         d("paused", "1 while nothing new is applied, by a pause or a freeze."),
		lastPoll:       d("last_poll_timestamp_seconds", "Unix time of the last successful poll; 0 if there was none."),
		outOfSync:      d("out_of_sync", "1 while what is deployed is not the head of the branch."),
		health:         d("environment_health", "1 for the environment's present health, 0 for the others.", "health"),
	}
}

// Describe sends the descriptions.
func (c *deploymentCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.total, c.success, c.failure, c.duration, c.pending, c.awaiting, c.oldestApproval, c.expired,
		c.rollbacks, c.holds, c.paused, c.lastPoll, c.outOfSync, c.health,
	} {
		out <- d
	}
}

// Collect sends the values of one state.
func (c *deploymentCollector) Collect(out chan<- prometheus.Metric) {
	state := c.node.State()
	for e := range state.Environments() {
		if !e.Retired {
			c.counters(out, e)
			c.gauges(out, state, e)
			c.waiting(out, state, e)
		}
	}
}

func (c *deploymentCollector) counters(out chan<- prometheus.Metric, e *fsm.Environment) {
	count := func(d *prometheus.Desc, value uint64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), e.Name)
	}
	count(c.total, e.Counters.Total)
	count(c.success, e.Counters.Success)
	count(c.failure, e.Counters.Failure)
	count(c.expired, e.Counters.ApprovalTimeouts)
	count(c.rollbacks, e.Counters.Rollbacks)
	out <- constHistogram(c.duration, e.Counters.Succeeded, e.Name, "success")
	out <- constHistogram(c.duration, e.Counters.Failed, e.Name, "failure")
}

func (c *deploymentCollector) gauges(out chan<- prometheus.Metric, state *fsm.State, e *fsm.Environment) {
	holds := 0
	for range state.Holds(e.Name) {
		holds++
	}
	gauge(out, c.holds, float64(holds), e.Name)
	gauge(out, c.paused, truth(e.Pause != nil || state.Meta().Freeze != nil), e.Name)
	gauge(out, c.lastPoll, float64(e.LastPoll)/1000, e.Name)
	gauge(out, c.outOfSync, truth(fsm.SyncOf(e) == fsm.OutOfSync), e.Name)
	for h := fsm.HealthUnknown; h <= fsm.Unhealthy; h++ {
		gauge(out, c.health, truth(e.Health == h), e.Name, h.String())
	}
}

func (c *deploymentCollector) waiting(out chan<- prometheus.Metric, state *fsm.State, e *fsm.Environment) {
	pending, awaiting, oldest := 0, 0, int64(0)
	for _, id := range e.Waiting {
		d := state.Deployment(id)
		switch {
		case d == nil:
		case d.State == fsm.AwaitingApproval:
			awaiting++
			if oldest == 0 || d.AwaitingSince < oldest {
				oldest = d.AwaitingSince
			}
		case d.State == fsm.Pending:
			pending++
		}
	}
	age := 0.0
	if oldest > 0 {
		age = max(0, c.now().Sub(moment(oldest)).Seconds())
	}
	gauge(out, c.pending, float64(pending), e.Name)
	gauge(out, c.awaiting, float64(awaiting), e.Name)
	gauge(out, c.oldestApproval, age, e.Name)
}

// constHistogram converts a replicated histogram; Prometheus counts in seconds
// and cumulatively.
func constHistogram(d *prometheus.Desc, h fsm.Histogram, labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(fsm.DurationBounds))
	count := uint64(0)
	for i, n := range h.Buckets {
		count += n
		if i < len(fsm.DurationBounds) {
			buckets[float64(fsm.DurationBounds[i])/1000] = count
		}
	}
	return prometheus.MustNewConstHistogram(d, count, float64(h.SumMs)/1000, buckets, labels...)
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
