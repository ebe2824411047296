package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// Config is what a Saver needs.
type Config struct {
	// Directory is where backups are kept; it is made if it is missing, 0700.
	Directory string
	// Interval is between two backups, at least MinInterval.
	Interval time.Duration
	// Keep is how many of the newest backups stay; at least 1.
	Keep int
	// ClusterName and NodeID are part of the files' names.
	ClusterName, NodeID string
	// Read returns a state that holds everything that was acknowledged.
	Read   func(ctx context.Context) (*fsm.State, error)
	Now    func() time.Time
	Logger *slog.Logger
}

// MinInterval is the shortest interval.
const MinInterval = time.Second

// ErrConfig is in the chain of everything that New finds.
var ErrConfig = errors.New("backup: the configuration cannot be used")

// Validate names the first field that is wrong.
func (c *Config) Validate() error {
	switch {
	case c.Directory == "":
		return fmt.Errorf("%w: Directory is missing", ErrConfig)
	case c.Interval < MinInterval:
		return fmt.Errorf("%w: Interval is %s, at least %s", ErrConfig, c.Interval, MinInterval)
	case c.Keep < 1:
		return fmt.Errorf("%w: Keep is %d, at least 1", ErrConfig, c.Keep)
	case c.ClusterName == "" || c.NodeID == "" || c.Read == nil || c.Now == nil || c.Logger == nil:
		return fmt.Errorf("%w: ClusterName, NodeID, Read, Now and Logger are required", ErrConfig)
	}
	return nil
}
