package geopackage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid GeoPackage configuration")

// Config is what the driver needs.
type Config struct {
	// DataDirectory holds the files. Nothing outside it is ever read, whatever links point there. Required; it
	// need not exist before the first source is opened.
	DataDirectory string
	// Logger receives that a file was opened anew or could not be. Required.
	Logger *slog.Logger
	// RefreshInterval is how often, at most, requests look whether the file has been replaced. Default 2 s.
	RefreshInterval time.Duration
	// Connections is how many requests read one file at the same time. Default 8.
	Connections int
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case c.DataDirectory == "":
		return fmt.Errorf("%w: DataDirectory is required", ErrConfig)
	case c.Logger == nil:
		return fmt.Errorf("%w: Logger is required", ErrConfig)
	case c.RefreshInterval < 0, c.Connections < 0:
		return fmt.Errorf("%w: negative value", ErrConfig)
	}
	return nil
}

// Driver opens GeoPackage files as data sources.
type Driver struct{ config Config }

// New returns a driver, or an error that wraps ErrConfig.
func New(config Config) (*Driver, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.RefreshInterval == 0 {
		config.RefreshInterval = 2 * time.Second
	}
	if config.Connections == 0 {
		config.Connections = 8
	}
	return &Driver{config: config}, nil
}

// Open opens the file that the connection string names: a path relative to the data directory, alone or as
// `File=path` or `Data Source=path`.
func (d *Driver) Open(ctx context.Context, spec registry.Spec) (registry.Source, error) {
	path := catalog.FilePath(spec.ConnectionString)
	switch {
	case path == ".":
		return nil, fmt.Errorf("%w: it names no file", registry.ErrConnectionString)
	case strings.ContainsRune(path, 0) || !filepath.IsLocal(path):
		return nil, fmt.Errorf("%w: path %q must be relative and stay inside the data directory",
			registry.ErrConnectionString, path)
	}
	s := &source{config: d.config, path: path}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	return s, nil
}
