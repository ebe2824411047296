package geojson

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// ErrConfig says that a Config cannot be used.
var ErrConfig = errors.New("invalid GeoJSON configuration")

// Config is what the driver needs.
type Config struct {
	// DataDirectory holds the files. Nothing outside it is ever read, whatever links point there. Required; it
	// need not exist before the first source is opened.
	DataDirectory string
	// Logger receives that a file was read anew or could not be. Required.
	Logger *slog.Logger
	// MaxFileBytes bounds one file. Default 1 GiB, at most 4 GiB - 1.
	MaxFileBytes int64
	// RefreshInterval is how often, at most, requests look whether the file has changed. Default 2 s.
	RefreshInterval time.Duration
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case c.DataDirectory == "":
		return fmt.Errorf("%w: DataDirectory is required", ErrConfig)
	case c.Logger == nil:
		return fmt.Errorf("%w: Logger is required", ErrConfig)
	case c.MaxFileBytes < 0 || c.MaxFileBytes > maxFileBytes:
		return fmt.Errorf("%w: MaxFileBytes is not in 0 to %d", ErrConfig, int64(maxFileBytes))
	case c.RefreshInterval < 0:
		return fmt.Errorf("%w: RefreshInterval is negative", ErrConfig)
	}
	return nil
}

// Driver opens GeoJSON files as data sources.
type Driver struct{ config Config }

// New returns a driver, or an error that wraps ErrConfig.
func New(config Config) (*Driver, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.MaxFileBytes == 0 {
		config.MaxFileBytes = 1 << 30
	}
	if config.RefreshInterval == 0 {
		config.RefreshInterval = 2 * time.Second
	}
	return &Driver{config: config}, nil
}

// Open reads the file that the connection string names: a path relative to the data directory, alone or as
// `File=path` or `Data Source=path`.
func (d *Driver) Open(_ context.Context, spec registry.Spec) (registry.Source, error) {
	path, err := parseConnection(spec.ConnectionString)
	if err != nil {
		return nil, err
	}
	s := &source{config: d.config, path: path}
	if err := s.refresh(); err != nil {
		return nil, err
	}
	return s, nil
}

// parseConnection returns the path in a connection string, cleaned. Whether it stays inside the data directory is
// decided when the file is opened, links included; here only what can never be right is refused.
func parseConnection(connection string) (string, error) {
	path := strings.TrimSpace(connection)
	if key, value, found := strings.Cut(path, "="); found && isFileKey(strings.TrimSpace(key)) {
		value, _, _ = strings.Cut(value, ";")
		path = strings.TrimSpace(value)
	}
	switch {
	case path == "":
		return "", fmt.Errorf("%w: it names no file", registry.ErrConnectionString)
	case strings.ContainsRune(path, 0):
		return "", fmt.Errorf("%w: the path holds a NUL byte", registry.ErrConnectionString)
	case !filepath.IsLocal(path):
		return "", fmt.Errorf("%w: path %q must be relative and stay inside the data directory",
			registry.ErrConnectionString, path)
	}
	return filepath.Clean(path), nil
}

// isFileKey knows the keys that stand before a path; with any other, the = belongs to the file's name.
func isFileKey(key string) bool {
	return strings.EqualFold(key, "file") || strings.EqualFold(key, "data source")
}
