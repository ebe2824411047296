package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ErrConfig says that a configuration of this package cannot be used.
var ErrConfig = errors.New("invalid web configuration")

// MetricsConfig is what Metrics needs.
type MetricsConfig struct {
	// Node is what is measured. Required.
	Node Node
	// Version, Commit and Go describe the build.
	Version, Commit, Go string
	// Now is the node's clock. Default time.Now.
	Now func() time.Time
}

// Metrics is a node's registry: what it counts itself, and what it reads from
// the replicated state at each scrape. Deployments are counted in replicated
// state, so that every node exports the same values and a leader change neither
// loses nor doubles one.
type Metrics struct {
	registry *prometheus.Registry
	requests *requestMetrics
	git      *gitMetrics
	denied   *prometheus.CounterVec
	webhooks *prometheus.CounterVec
}

// NewMetrics makes a node's registry. Its error wraps ErrConfig.
func NewMetrics(cfg MetricsConfig) (*Metrics, error) {
	if cfg.Node == nil {
		return nil, fmt.Errorf("%w: Node is required", ErrConfig)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := &Metrics{registry: prometheus.NewRegistry(), requests: newRequestMetrics(), git: newGitMetrics(), denied: newDenied(), webhooks: newWebhooks()}
	parts := []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newDeploymentCollector(cfg.Node, cfg.Now), newServingCollector(cfg.Node), newDriftCollector(cfg.Node), newRaftCollector(cfg.Node),
		newDeliveryCollector(cfg.Node),
		m.denied, m.webhooks, buildInfo(cfg),
	}
	parts = append(parts, m.requests.collectors()...)
	parts = append(parts, m.git.collectors()...)
	for _, part := range parts {
		if err := m.Register(part); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Register adds the metrics of another package, such as those of raft itself.
func (m *Metrics) Register(c prometheus.Collector) error {
	if err := m.registry.Register(c); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// Handler answers scrapes, at most four at once. It never speaks OpenMetrics,
// which would add _total to counters that alert rules name without it.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
		ErrorHandling:       promhttp.ContinueOnError,
	})
}

func newDenied() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "honua_api_denied_calls_total", Help: "Calls of the admin API that were denied, of callers who proved who they are (known) and others (unknown).",
	}, []string{"caller"})
}

// ObserveDenial counts one denied call of the admin API.
func (m *Metrics) ObserveDenial(known bool) {
	caller := "unknown"
	if known {
		caller = "known"
	}
	m.denied.WithLabelValues(caller).Inc()
}

func newWebhooks() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "honua_webhook_deliveries_total", Help: "Deliveries to /webhooks/git, by the kind of Git host and what became of them.",
	}, []string{"provider", "result"})
}

// ObserveWebhook counts one delivery; both are of a fixed set of names.
func (m *Metrics) ObserveWebhook(provider, result string) {
	m.webhooks.WithLabelValues(provider, result).Inc()
}

func buildInfo(cfg MetricsConfig) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "honua_build_info", Help: "Always 1; the labels describe the build.",
		ConstLabels: prometheus.Labels{"version": cfg.Version, "commit": cfg.Commit, "go_version": cfg.Go},
	})
	info.Set(1)
	return info
}
