package ogc

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid OGC API configuration")

// Registry is what the handler needs of the registry.
type Registry interface {
	// Current acquires the catalog that an environment serves; release is called exactly once.
	Current(environment string) (current *registry.Catalog, release func(), ok bool)
}

// Config is what a Handler needs.
type Config struct {
	// Registry is where the configuration that is served comes from. Required.
	Registry Registry
	// Environments are the environments this node is configured for; the first is served at /ogc as well. A
	// configured environment that has nothing active answers 503, another one 404. One that has something active
	// is served, configured or not. Required.
	Environments []string
	// Logger receives failures that a response cannot show. Required.
	Logger *slog.Logger

	// TrustForwarded takes scheme and host of links from X-Forwarded-Proto and X-Forwarded-Host. Only behind a
	// proxy that sets both: anybody else could make responses link elsewhere.
	TrustForwarded bool
	// Stale says why what an environment serves may be out of date, for the header Honua-Stale; empty when it is
	// not. Nil: never.
	Stale func(environment string) string
	// Observe is called once for each request, after the response. Nil: nobody looks.
	Observe func(Observation)
	// Now is the time of the timeStamp of responses. Default time.Now.
	Now func() time.Time
	// RetryAfter is what a 503 asks clients to wait, in whole seconds, at least one. Default 2 s.
	RetryAfter time.Duration
}

// Observation is what is worth counting of one request.
type Observation struct {
	Route       string // landing, conformance, api, collections, collection, queryables, items, item; or unknown
	Environment string // one that is configured or served, or empty
	Collection  string // a layer's id, or empty; never what a client made up
	Method      string // GET, HEAD, OPTIONS; or other
	Status      int    // HTTP status; 0 when the client went away before there was one
	Aborted     bool   // the response was cut off after its status had been sent
	Duration    time.Duration
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case c.Registry == nil:
		return fmt.Errorf("%w: Registry is required", ErrConfig)
	case len(c.Environments) == 0 || c.Environments[0] == "":
		return fmt.Errorf("%w: Environments is required", ErrConfig)
	case c.Logger == nil:
		return fmt.Errorf("%w: Logger is required", ErrConfig)
	case c.RetryAfter < 0:
		return fmt.Errorf("%w: RetryAfter is negative", ErrConfig)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Stale == nil {
		c.Stale = func(string) string { return "" }
	}
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RetryAfter == 0 {
		c.RetryAfter = 2 * time.Second
	}
	return c
}
