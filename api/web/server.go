package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

// Config is what a Server needs.
type Config struct {
	// Health answers /health/…. Required.
	Health *Health
	// Metrics answers /metrics. Required.
	Metrics *Metrics
	// Logger receives failures that an answer cannot show. Required.
	Logger *slog.Logger

	// Features answers /ogc, /ogc/… and /environments/…. Nil: they are not found.
	Features http.Handler
	// Webhook answers /webhooks/git. Nil: it is not found, and the answer says how to turn it on.
	Webhook http.Handler
	// TLS encrypts. Nil: plain text.
	TLS *tls.Config
	// SeparateMetrics: /metrics is answered by ServeMetrics only.
	SeparateMetrics bool
	// MaxConnections bounds the connections of each listener. Default 4096.
	MaxConnections int
	// WriteTimeout bounds the time from a request's header to the end of its
	// answer. Default 5 minutes: features are streamed to slow clients too.
	WriteTimeout time.Duration
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case c.Health == nil:
		return fmt.Errorf("%w: Health is required", ErrConfig)
	case c.Metrics == nil:
		return fmt.Errorf("%w: Metrics is required", ErrConfig)
	case c.Logger == nil:
		return fmt.Errorf("%w: Logger is required", ErrConfig)
	case c.MaxConnections < 0 || c.WriteTimeout < 0:
		return fmt.Errorf("%w: a limit is negative", ErrConfig)
	}
	return nil
}

// Limits of every connection.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 30 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// Server is a node's HTTP server.
type Server struct {
	main    *http.Server
	metrics *http.Server
	limit   int
}

// New makes a server; Serve starts it.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 4096
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = 5 * time.Minute
	}
	return &Server{
		main:    cfg.server(cfg.routes()),
		metrics: cfg.server(cfg.metricsRoutes()),
		limit:   cfg.MaxConnections,
	}, nil
}

func (c Config) server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      c.WriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		TLSConfig:         c.TLS,
		ErrorLog:          log.New(connectionLog{c.Logger}, "", 0),
	}
}

// connectionLog receives what net/http says of connections. Refused handshakes
// are what somebody looks for; the rest, and ports that are only looked at, is noise.
type connectionLog struct{ logger *slog.Logger }

// Write logs one line.
func (c connectionLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelDebug
	if strings.Contains(text, "TLS handshake error") && !strings.HasSuffix(text, "EOF") {
		level = slog.LevelWarn
	}
	c.logger.Log(context.Background(), level, "HTTP connection refused", "error", text) //nolint:forbidigo // net/http logs without a context
	return len(line), nil
}

// Handler is what Serve answers with, for tests and other servers.
func (s *Server) Handler() http.Handler { return s.main.Handler }

// Serve answers requests on a listener, which it closes, until Shutdown.
func (s *Server) Serve(l net.Listener) error { return s.serve(s.main, l) }

// ServeMetrics answers /metrics alone on a listener, until Shutdown.
func (s *Server) ServeMetrics(l net.Listener) error { return s.serve(s.metrics, l) }

func (s *Server) serve(server *http.Server, l net.Listener) error {
	l = netutil.LimitListener(l, s.limit)
	serve := server.Serve
	if server.TLSConfig != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	err := serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("HTTP on %s: %w", l.Addr(), err)
}

// Shutdown stops the server: no new requests, those under way finish. What is
// not finished when ctx ends is cut off, and the error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	err := errors.Join(s.main.Shutdown(ctx), s.metrics.Shutdown(ctx))
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("requests were cut off: %w", err), s.main.Close(), s.metrics.Close())
}
