package registry

import (
	"fmt"
	"log/slog"
	"time"
)

// Config is what a Registry needs.
type Config struct {
	// Drivers are the known data-source types by their name in datasources.json. Required.
	Drivers map[string]Driver
	// LookupEnv finds what ${NAME} in a connection string stands for. Required; os.LookupEnv outside tests.
	LookupEnv func(name string) (string, bool)
	// ReadFile finds what ${file:PATH} stands for; at most 64 KiB are used. Required; os.ReadFile outside tests.
	ReadFile func(path string) ([]byte, error)
	// Private reports whether a reference, NAME or file:PATH, is to something of the node itself, such as its keys, that
	// no connection string gets. Nil: none is.
	Private func(reference string) bool
	// Logger receives what happens to sources. Required.
	Logger *slog.Logger

	// OpenTimeout bounds one attempt to open a source while serving. Default 5 s.
	OpenTimeout time.Duration
	// RetryInterval is the least time between two attempts to open a source that failed. Default 1 s.
	RetryInterval time.Duration
	// Parallel is how many sources are opened and checked at once. Default 4.
	Parallel int
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case len(c.Drivers) == 0:
		return fmt.Errorf("%w: no drivers", ErrConfig)
	case c.LookupEnv == nil, c.ReadFile == nil:
		return fmt.Errorf("%w: LookupEnv and ReadFile are required", ErrConfig)
	case c.Logger == nil:
		return fmt.Errorf("%w: Logger is required", ErrConfig)
	case c.OpenTimeout < 0, c.RetryInterval < 0, c.Parallel < 0:
		return fmt.Errorf("%w: negative value", ErrConfig)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Private == nil {
		c.Private = func(string) bool { return false }
	}
	if c.OpenTimeout == 0 {
		c.OpenTimeout = 5 * time.Second
	}
	if c.RetryInterval == 0 {
		c.RetryInterval = time.Second
	}
	if c.Parallel == 0 {
		c.Parallel = 4
	}
	return c
}
