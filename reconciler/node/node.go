package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/durable"
	"github.com/honua-io/honua-gitops/internal/tracing"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// serving is what this node serves of one environment.
type serving struct {
	Entry
	// problem is why it is not what it should be; empty if it is.
	problem string
	// drift is what broke of it since; empty if nothing did.
	drift string
}

// Node is the node half. Open makes it serve from disk; Run makes it follow.
type Node struct {
	pb.UnimplementedNodeServiceServer
	config  Config
	files   durable.Files
	started time.Time
	bundles *bundleStore
	journal *Journal
	stages  *stages
	meter   *driftMeter
	views   *views
	// inspecting is held by the one inspection that is under way.
	inspecting chan struct{}
	// fileQuestions go to the writer of the files.
	fileQuestions chan fileQuestion
	// failed takes the first failure of the disk; Run ends with it.
	failed chan error
	// activating is held while what is served is replaced.
	activating sync.Mutex

	mu     sync.Mutex
	serves map[string]serving
	// unwritten is why a state or approval file cannot be written; empty if all can.
	unwritten string
	advanced  chan struct{}
}

// Open reads the journal and serves what was active last, before raft is up.
// What cannot be served from disk is built anew once the state is there.
func Open(ctx context.Context, config Config) (*Node, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Tracer == nil {
		config.Tracer = tracing.None()
	}
	files := durable.Files{FS: config.Files}
	if config.Files == nil {
		files.FS = durable.Disk{}
	}
	for _, dir := range []string{config.DataDirectory, config.StateDirectory, config.ApprovalDirectory} {
		if err := files.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("node: %w", err)
		}
	}
	bundles, err := openBundleStore(files, filepath.Join(config.DataDirectory, "bundles"))
	if err != nil {
		return nil, err
	}
	journal, last, err := OpenJournal(files, filepath.Join(config.DataDirectory, "journal.jsonl"))
	if err != nil {
		return nil, err
	}
	n := &Node{
		config: config, started: config.Now(), files: files, bundles: bundles, journal: journal, stages: newStages(), meter: newDriftMeter(),
		inspecting: make(chan struct{}, 1), fileQuestions: make(chan fileQuestion), failed: make(chan error, 1),
		serves: map[string]serving{}, advanced: make(chan struct{}),
	}
	n.views = newViews(n)
	if err := n.resume(ctx, last); err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	return n, nil
}

// Close closes the journal. Call it after Run has returned.
func (n *Node) Close() error {
	n.stages.dropAll()
	return n.journal.Close()
}

// resume serves the last activation of each environment again. An Intent
// without an Active is closed as recovered: the swap is done now.
func (n *Node) resume(ctx context.Context, last map[string]Entry) error {
	for batch := range slices.Chunk(sortedKeys(last), activationBatch) {
		var ready []*activation
		for _, environment := range batch {
			if a := n.resumable(ctx, last[environment]); a != nil {
				ready = append(ready, a)
			}
		}
		if err := n.serveAgain(ctx, ready); err != nil {
			return err
		}
	}
	return nil
}

// resumable has the catalog at hand of what was active last; nil if there is
// none on disk, or if another data directory's node activated it.
func (n *Node) resumable(ctx context.Context, entry Entry) *activation {
	if entry.Incarnation != n.config.Incarnation {
		return nil
	}
	environment := entry.Environment
	model, err := n.modelFromDisk(environment, entry.Digest)
	var built *registry.Catalog
	if err == nil {
		built, err = n.build(ctx, environment, entry.Digest, entry.Deployment, model)
	}
	if err != nil {
		n.config.Logger.WarnContext(ctx, msgNotResumed, "environment", environment, "digest", entry.Digest, "error", err)
		n.note(environment, serving{Entry: entry, problem: err.Error()})
		return nil
	}
	entry.Recovered = entry.Phase == Intent
	entry.Phase, entry.Time = Resumed, n.timestamp()
	return &activation{entry: entry, built: built}
}

func (n *Node) serveAgain(ctx context.Context, ready []*activation) error {
	if err := n.journal.Append(entriesOf(ready)...); err != nil {
		return err
	}
	for _, a := range ready {
		n.config.Registry.Swap(a.entry.Environment, a.built)
		n.note(a.entry.Environment, serving{Entry: a.entry})
		n.config.Logger.InfoContext(ctx, msgResumed, "environment", a.entry.Environment, "commit", a.entry.Commit,
			"digest", a.entry.Digest, "activation_index", a.entry.ActivationIndex, "recovered", a.entry.Recovered)
	}
	return nil
}

// note records what is served and wakes who waits for it.
func (n *Node) note(environment string, s serving) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.serves[environment] = s
	close(n.advanced)
	n.advanced = make(chan struct{})
}

// served returns what this node serves of an environment, and a channel that
// is closed at the next change.
func (n *Node) served(environment string) (s serving, ok bool, advanced <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, ok = n.serves[environment]
	return s, ok, n.advanced
}

// Serving is what a node serves of one environment.
type Serving struct {
	Environment     string
	Epoch           uint64
	ActivationIndex uint64
	DeploymentID    string
	Commit          string
	Digest          string
	// Problem is why it is not served as it should be; empty if it is.
	Problem string
	// Drift is what broke of what is served, such as a data file that vanished;
	// empty if nothing did.
	Drift string
}

// Serves returns what this node serves, by environment.
func (n *Node) Serves() []Serving {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]Serving, 0, len(n.serves))
	for _, environment := range sortedKeys(n.serves) {
		s := n.serves[environment]
		out = append(out, Serving{
			Environment: environment, Epoch: s.Epoch, ActivationIndex: s.ActivationIndex,
			DeploymentID: s.Deployment, Commit: s.Commit, Digest: s.Digest, Problem: s.problem, Drift: s.drift,
		})
	}
	return out
}

func (n *Node) timestamp() string {
	return n.config.Now().UTC().Format("2006-01-02T15:04:05.000Z")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
