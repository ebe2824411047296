package web

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// status is a verdict; later ones are worse.
type status int

const (
	healthy status = iota
	degraded
	unhealthy
)

// String returns the spelling of the health documents.
func (s status) String() string { return [...]string{"Healthy", "Degraded", "Unhealthy"}[s] }

// MarshalText writes the spelling of the health documents.
func (s status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Health answers the health endpoints of one node.
type Health struct {
	node Node
	now  func() time.Time
	last atomic.Pointer[glance]
	// stopping: the process is on its way down.
	stopping atomic.Bool
}

// Drain makes the node answer that it is not ready, for as long as it still
// answers: whoever spreads requests sends it no new ones.
func (h *Health) Drain() { h.stopping.Store(true) }

// NewHealth makes the health of a node; now is the node's clock, nil for time.Now.
func NewHealth(node Node, now func() time.Time) *Health {
	if now == nil {
		now = time.Now
	}
	return &Health{node: node, now: now}
}

// glanceFor is how long Stale's answer may be old: it is asked with every
// request for features.
const glanceFor = 200 * time.Millisecond

// glance is what Stale answers for a moment.
type glance struct {
	at    time.Time
	codes map[string]string
}

// Stale returns why what the node serves of an environment may be out of date,
// as the value of StaleHeader; empty if nothing says so.
func (h *Health) Stale(environment string) string {
	now := h.now()
	g := h.last.Load()
	if g == nil || now.Sub(g.at) > glanceFor || now.Before(g.at) {
		v := look(h.node)
		g = &glance{at: now, codes: make(map[string]string, len(v.environments))}
		for _, e := range v.environments {
			g.codes[e.name] = staleCodes(v.stale(e, now))
		}
		h.last.Store(g)
	}
	return g.codes[environment]
}

// answer writes a health document.
func answer(w http.ResponseWriter, code int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		code, body = http.StatusInternalServerError, []byte(`{"status":"Unhealthy"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	// A client that has gone away is the only way for this to fail.
	_, _ = w.Write(append(body, '\n'))
}

func codeOf(s status) int {
	if s == unhealthy {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}
