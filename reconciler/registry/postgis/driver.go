package postgis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid PostGIS configuration")

// Config is what the driver needs.
type Config struct {
	// Logger receives that a database was lost and found. Required.
	Logger *slog.Logger
	// AcquireTimeout bounds how long a request waits for one of the pool's connections. Default 5 s.
	AcquireTimeout time.Duration
	// RefreshInterval is how long what is known of a table is used without looking again. Default 30 s.
	RefreshInterval time.Duration
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case c.Logger == nil:
		return fmt.Errorf("%w: Logger is required", ErrConfig)
	case c.AcquireTimeout < 0, c.RefreshInterval < 0:
		return fmt.Errorf("%w: negative value", ErrConfig)
	}
	return nil
}

// Driver opens PostgreSQL databases as data sources.
type Driver struct{ config Config }

// New returns a driver, or an error that wraps ErrConfig.
func New(config Config) (*Driver, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.AcquireTimeout == 0 {
		config.AcquireTimeout = 5 * time.Second
	}
	if config.RefreshInterval == 0 {
		config.RefreshInterval = 30 * time.Second
	}
	return &Driver{config: config}, nil
}

// Open connects to the database that a connection string of either style names.
func (d *Driver) Open(ctx context.Context, spec registry.Spec) (registry.Source, error) {
	config, err := parseConnection(spec.ConnectionString)
	if err != nil {
		return nil, err
	}
	where := place(config, spec.Template)
	pool, err := open(ctx, config)
	if err != nil {
		return nil, unreachable(ctx, where, err)
	}
	return newSource(d.config, pool, where), nil
}
