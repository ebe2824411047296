package web

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// routes is everything that the main port answers.
func (c Config) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/health/live", reading(c.Health.live))
	mux.Handle("/health/ready", reading(c.Health.ready))
	mux.Handle("/health/gitops", reading(c.Health.gitops))
	if !c.SeparateMetrics {
		mux.Handle("/metrics", reading(c.Metrics.Handler().ServeHTTP))
	}
	if c.Features != nil {
		mux.Handle("/ogc", c.Features)
		mux.Handle("/ogc/", c.Features)
		mux.Handle("/environments/", c.Features)
	}
	mux.Handle("/webhooks/git", c.webhook())
	mux.HandleFunc("/", notFound)
	return guarded(c.Logger, mux)
}

func (c Config) webhook() http.Handler {
	if c.Webhook != nil {
		return c.Webhook
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "this node takes no webhooks; GitOps.Webhook.Secret turns them on")
	})
}

// metricsRoutes is what a separate metrics port answers.
func (c Config) metricsRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", reading(c.Metrics.Handler().ServeHTTP))
	mux.HandleFunc("/", notFound)
	return guarded(c.Logger, mux)
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusNotFound, "there is nothing at this path; /ogc is the landing page")
}

// reading lets GET and HEAD through and answers anything else with 405.
func reading(handle http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "this resource can be read only")
			return
		}
		handle(w, r)
	})
}

// guarded turns a panic into an answer of this one request. One that asks to
// abort the connection is passed on.
func guarded(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			logger.Error("handler panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			refuse(w, http.StatusInternalServerError, "the server failed; its log says why")
		}()
		next.ServeHTTP(w, r)
	})
}
