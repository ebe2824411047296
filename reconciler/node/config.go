package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/durable"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// Registry is what this node serves from.
type Registry interface {
	Build(ctx context.Context, in registry.BuildInput) (*registry.Catalog, []catalog.Problem)
	Swap(environment string, next *registry.Catalog) (previous string)
	Current(environment string) (current *registry.Catalog, release func(), ok bool)
	Probe(ctx context.Context, environment string) ([]registry.ProbeResult, bool)
}

// Addresses are where this node is reached, as host:port.
type Addresses struct {
	Raft, GRPC, HTTP, Gossip string
}

// Config is what a Node needs.
type Config struct {
	NodeID  string
	Version string
	// Incarnation identifies the data directory.
	Incarnation string
	// DataDirectory holds the bundles and the journal.
	DataDirectory string
	// StateDirectory and ApprovalDirectory hold the views for people and scripts.
	StateDirectory    string
	ApprovalDirectory string
	// Files is where these directories are; nil is the machine's disk.
	Files    durable.FS
	Store    *fsm.Store
	Registry Registry
	// CaughtUp reports whether the state is as new as the leader's was when this
	// process started: what raft replays before that is not acted on.
	CaughtUp func() bool
	// Settings returns the digest and the encoded value of the settings in this
	// node's own file.
	Settings func() (digest string, value []byte)
	// OwnSettings returns digests of what is each node's own and should be alike on
	// all. May be nil.
	OwnSettings func() map[string]string
	Addresses   Addresses
	// ProbeInterval is how often what is served is probed for drift; 0 means 10 s.
	ProbeInterval time.Duration
	// Backup says how the scheduled backups of this node are doing; optional.
	Backup func() *pb.BackupStatus
	Now    func() time.Time
	Logger *slog.Logger
	// Tracer makes the spans of what is done for a commit; nil makes none.
	Tracer trace.Tracer
}

// ErrConfig is a Config that lacks something.
var ErrConfig = errors.New("node: incomplete configuration")

// Validate names what is missing.
func (c Config) Validate() error {
	for name, missing := range map[string]bool{
		"NodeID": c.NodeID == "", "Incarnation": c.Incarnation == "", "DataDirectory": c.DataDirectory == "",
		"StateDirectory": c.StateDirectory == "", "ApprovalDirectory": c.ApprovalDirectory == "", "Store": c.Store == nil,
		"Registry": c.Registry == nil, "CaughtUp": c.CaughtUp == nil, "Settings": c.Settings == nil,
		"Now": c.Now == nil, "Logger": c.Logger == nil,
	} {
		if missing {
			return fmt.Errorf("%w: %s", ErrConfig, name)
		}
	}
	return nil
}
