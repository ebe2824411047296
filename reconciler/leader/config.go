package leader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/internal/tracing"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Proposer puts a command into the log in a term. A nil error means that the
// state machine executed or refused it.
type Proposer interface {
	Propose(ctx context.Context, term uint64, payload *pb.Payload) (fsm.Result, error)
}

// Group is the raft configuration as the leader sees it.
type Group interface {
	// Voters and Members return the ids of the voters, and of all servers, sorted.
	Voters() []string
	Members() []string
	// Silence is how long raft has not heard of a server; 0 for this node.
	Silence(id string) time.Duration
}

// Nodes reaches the node half of a member, this node's own included.
type Nodes interface {
	Node(id string) (pb.NodeServiceClient, error)
}

// Repository is one branch of the watched repository.
type Repository interface {
	Head(ctx context.Context) (string, error)
	// ReadEach reads one commit for several environments; each is called for every request, in their order.
	ReadEach(ctx context.Context, requests []gitsync.Request, each func(i int, reading *gitsync.Reading, err error))
	Close()
}

// Config is what a Leader needs. All of it but the Tracer is required.
type Config struct {
	NodeID   string
	Store    *fsm.Store
	Proposer Proposer
	Group    Group
	Nodes    Nodes
	// Open opens a branch of the repository that the settings name.
	Open func(settings *fsm.Settings, branch string) (Repository, error)
	Now  func() time.Time
	// Random returns a number in [0, 1), for jitter.
	Random func() float64
	Logger *slog.Logger
	// Tracer makes the spans of what is done for a commit; nil makes none.
	Tracer trace.Tracer
}

// ErrConfig is a Config that lacks something.
var ErrConfig = errors.New("leader: incomplete configuration")

// Validate names what is missing.
func (c Config) Validate() error {
	for name, missing := range map[string]bool{
		"NodeID": c.NodeID == "", "Store": c.Store == nil, "Proposer": c.Proposer == nil, "Group": c.Group == nil,
		"Nodes": c.Nodes == nil, "Open": c.Open == nil, "Now": c.Now == nil, "Random": c.Random == nil, "Logger": c.Logger == nil,
	} {
		if missing {
			return fmt.Errorf("%w: %s", ErrConfig, name)
		}
	}
	return nil
}

// Leader is the leader half of one node. It does nothing outside of Lead.
type Leader struct {
	config Config
}

// New checks the configuration.
func New(config Config) (*Leader, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Tracer == nil {
		config.Tracer = tracing.None()
	}
	return &Leader{config: config}, nil
}
