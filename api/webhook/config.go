package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// ErrConfig says that a configuration of this package cannot be used.
var ErrConfig = errors.New("invalid webhook configuration")

// Proposer replicates commands, through whichever node leads.
type Proposer interface {
	// Propose returns what the state machine made of a command. With a request
	// id that it has seen, that is the first result again.
	Propose(ctx context.Context, requestID string, issuedAt int64, caller *pb.Caller, payload *pb.Payload) (fsm.Result, error)
}

// Config is what a Handler needs.
type Config struct {
	// Secret is what the Git host signs with; asked for at every delivery, so
	// that a changed file counts at once. Required.
	Secret func() (string, error)
	// Provider is the Git host: github, gitlab, bitbucket, gitea, forgejo or
	// generic. Empty: told from the request's headers.
	Provider string
	// Proposer stores the hint. Required.
	Proposer Proposer
	// Branches are those that environments watch. Required.
	Branches func() []string
	// Logger receives why a delivery was refused. Required.
	Logger *slog.Logger
	// Now is the node's clock. Default time.Now.
	Now func() time.Time
	// Observe counts one delivery by provider and result. Default: nothing does.
	Observe func(provider, result string)
	// Limits bound how many deliveries are looked at. Default DefaultLimits.
	Limits Limits
}

// Validate checks the configuration and returns an error that wraps ErrConfig.
func (c Config) Validate() error {
	switch {
	case c.Secret == nil || c.Proposer == nil || c.Branches == nil || c.Logger == nil:
		return fmt.Errorf("%w: Secret, Proposer, Branches and Logger are required", ErrConfig)
	case c.Provider != "" && family(c.Provider) == nil:
		return fmt.Errorf("%w: Provider %q is not github, gitlab, bitbucket, gitea, forgejo or generic", ErrConfig, c.Provider)
	}
	return nil
}

// New makes a handler.
func New(c Config) (*Handler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(string, string) {}
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	return &Handler{Config: c, sources: newSources(c.Limits), accepted: c.Limits.accepted(), reading: make(chan struct{}, c.Limits.AtOnce)}, nil
}
