package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gitMetrics counts what this node does with the repository; only the leader does any.
type gitMetrics struct {
	poll, fetch *prometheus.HistogramVec
	errors      *prometheus.CounterVec
}

func newGitMetrics() *gitMetrics {
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{"branch", "result"})
	}
	return &gitMetrics{
		poll: histogram("honua_git_poll_duration_seconds", "Seconds that asking for the head of a branch took.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}),
		fetch: histogram("honua_git_fetch_duration_seconds", "Seconds that fetching and reading a commit took.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "honua_git_errors_total", Help: "Polls and fetches that failed, by code.",
		}, []string{"branch", "operation", "code"}),
	}
}

func (g *gitMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{g.poll, g.fetch, g.errors}
}

// ObservePoll counts one question for the head of a branch; code is empty on
// success, otherwise the stable code of the error.
func (m *Metrics) ObservePoll(branch, code string, took time.Duration) {
	m.git.observe(m.git.poll, "poll", branch, code, took)
}

// ObserveFetch counts one fetch of a commit, in the same way.
func (m *Metrics) ObserveFetch(branch, code string, took time.Duration) {
	m.git.observe(m.git.fetch, "fetch", branch, code, took)
}

func (g *gitMetrics) observe(h *prometheus.HistogramVec, operation, branch, code string, took time.Duration) {
	result := "success"
	if code != "" {
		result = "failure"
		g.errors.WithLabelValues(branch, operation, code).Inc()
	}
	h.WithLabelValues(branch, result).Observe(took.Seconds())
}
