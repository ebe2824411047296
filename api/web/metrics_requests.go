package web

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Request is what is counted of one request for features.
type Request struct {
	// Route is the kind of resource, such as items.
	Route string
	// Environment and Collection are configured names, or empty; never what a client made up.
	Environment string
	Collection  string
	// Method is GET, HEAD, OPTIONS or other.
	Method string
	Status int
	// Aborted: the answer was cut off after its status had been sent.
	Aborted  bool
	Duration time.Duration
}

// countedCollections bounds the series of an environment with very many layers;
// what comes after them is counted together, as otherCollections.
const (
	countedCollections = 500
	otherCollections   = "(others)"
)

// requestMetrics counts requests for features.
type requestMetrics struct {
	duration   *prometheus.HistogramVec
	collection *prometheus.CounterVec
	aborted    *prometheus.CounterVec

	mu    sync.Mutex
	known map[string]struct{}
}

func newRequestMetrics() *requestMetrics {
	return &requestMetrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "honua_ogc_request_duration_seconds", Help: "Seconds that a request of the OGC API took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"environment", "route", "method", "status"}),
		collection: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "honua_ogc_collection_requests_total", Help: "Requests by collection; beyond the first 500 they are counted together.",
		}, []string{"environment", "collection", "status"}),
		aborted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "honua_ogc_aborted_responses_total", Help: "Answers that were cut off after their status had been sent.",
		}, []string{"environment", "route"}),
		known: map[string]struct{}{},
	}
}

func (r *requestMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.duration, r.collection, r.aborted}
}

// ObserveRequest counts one request for features.
func (m *Metrics) ObserveRequest(r Request) {
	code := strconv.Itoa(r.Status)
	m.requests.duration.WithLabelValues(r.Environment, r.Route, r.Method, code).Observe(r.Duration.Seconds())
	if r.Collection != "" {
		m.requests.collection.WithLabelValues(r.Environment, m.requests.label(r.Collection), code).Inc()
	}
	if r.Aborted {
		m.requests.aborted.WithLabelValues(r.Environment, r.Route).Inc()
	}
}

func (r *requestMetrics) label(collection string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[collection]; ok {
		return collection
	}
	if len(r.known) >= countedCollections {
		return otherCollections
	}
	r.known[collection] = struct{}{}
	return collection
}
