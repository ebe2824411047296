package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/internal/planted"
	"github.com/honua-io/honua-gitops/internal/tracing"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// retryInterval is how long after a failed activation the next try is made.
const retryInterval = time.Second

// caughtUpInterval is how often a starting node looks whether it has caught up.
const caughtUpInterval = 20 * time.Millisecond

// Run follows the replicated state until ctx ends. An error means that this
// node can no longer record what it does: it must stop.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !planted.On(planted.ActInApply) && !n.awaitCaughtUp(ctx) {
		return nil
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	workers.Go(func() { n.writeViews(ctx) })
	workers.Go(func() { n.announce(ctx) })
	workers.Go(func() { n.searchDrift(ctx) })
	if err := n.follow(ctx); err != nil {
		cancel(err)
		return err
	}
	return nil
}

// awaitCaughtUp waits until the state is as new as the cluster's: what raft
// replays at start is history, and without a quorum this node serves on what it
// has.
func (n *Node) awaitCaughtUp(ctx context.Context) bool {
	for !n.config.CaughtUp() {
		if !sleep(ctx, caughtUpInterval) {
			return false
		}
	}
	return ctx.Err() == nil
}

// follow activates what the newest state names. Only the newest counts: what
// came and went in between was never this node's to serve (I1).
func (n *Node) follow(ctx context.Context) error {
	for {
		changed := n.config.Store.Changed()
		retry := time.Hour
		behind, err := n.CatchUp(ctx, n.config.Store.State())
		if err != nil {
			return err
		}
		if behind {
			retry = retryInterval
		}
		timer := time.NewTimer(retry)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case err := <-n.failed:
			timer.Stop()
			return err
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// CatchUp activates every environment that is behind; behind reports whether
// one still is. An error means that this node must stop. Run calls it; the
// simulator does in its stead. It is not called twice at once.
func (n *Node) CatchUp(ctx context.Context, state *fsm.State) (behind bool, err error) {
	activated := false
	for env := range state.Environments() {
		if env.Operation == nil {
			n.stages.drop(env.Name)
		}
		if env.Active == nil || ctx.Err() != nil {
			continue
		}
		known, ok, _ := n.served(env.Name)
		if ok && known.problem == "" && !known.after(env.Active.Epoch, env.Active.Index) &&
			(!planted.On(planted.ActInApply) || known.ActivationIndex == env.Active.Index) {
			continue
		}
		if err := n.activate(ctx, state, env, known, ok); err != nil {
			if errors.Is(err, ErrJournal) || errors.Is(err, ErrDisk) {
				return false, err
			}
			behind = true
			n.config.Logger.ErrorContext(ctx, msgReloadFailed, "environment", env.Name, "error", err)
			continue
		}
		activated = true
	}
	if activated {
		n.prune(ctx)
	}
	return behind, nil
}

// activate makes this node serve an activation: Intent on disk, one pointer
// swapped, Active on disk. A repair of what was activated before is no
// activation: it is journalled as resumed (I2).
func (n *Node) activate(ctx context.Context, state *fsm.State, env *fsm.Environment, known serving, ok bool) (err error) {
	ctx, span := n.span(ctx, spanActivate, env.Name, env.Active.Commit, attribute.Int64("honua.activation_index", int64(env.Active.Index)))
	defer func() { tracing.End(span, err) }()
	n.activating.Lock()
	defer n.activating.Unlock()
	begun := n.config.Now()
	active := env.Active
	built := n.stages.take(env.Name, active.Digest)
	if built == nil {
		model, err := n.model(state, env.Name, active.Digest)
		if err == nil {
			built, err = n.build(ctx, env.Name, active.Digest, active.DeploymentID, model)
		}
		if err != nil {
			if ok {
				known.problem = err.Error()
				n.note(env.Name, known)
			}
			return err
		}
	}
	entry := Entry{
		Time: n.timestamp(), Incarnation: n.config.Incarnation, Epoch: active.Epoch, Environment: env.Name,
		ActivationIndex: active.Index, Term: state.Meta().Term, Deployment: active.DeploymentID,
		Commit: active.Commit, Digest: active.Digest, Phase: Intent,
	}
	services := len(built.Model().Services)
	repair := ok && !known.after(active.Epoch, active.Index) && !planted.On(planted.ActInApply)
	if repair {
		entry.Phase = Resumed
	}
	if err := n.swap(ctx, &entry, built); err != nil {
		return err
	}
	failpoint.Reach(failpoint.BeforeReport)
	n.note(env.Name, serving{Entry: entry})
	failpoint.Reach(failpoint.AfterReport)
	n.announceServing(ctx, env.Name, services, n.config.Now().Sub(begun))
	return nil
}

// swap announces an activation in the journal, serves it, and says in the journal that it is served; a repair is
// announced as what it is, and nothing more.
func (n *Node) swap(ctx context.Context, entry *Entry, built *registry.Catalog) error {
	failpoint.Reach(failpoint.BeforeIntent)
	if !planted.On(planted.SkipIntent) {
		if err := n.journal.Append(*entry); err != nil {
			built.Release()
			return err
		}
	}
	failpoint.Reach(failpoint.AfterIntent)
	n.announceApplying(ctx, entry.Environment)
	failpoint.Reach(failpoint.BeforeSwap)
	n.config.Registry.Swap(entry.Environment, built)
	failpoint.Reach(failpoint.AfterSwap)
	if entry.Phase == Resumed {
		return nil
	}
	entry.Phase, entry.Time = Active, n.timestamp()
	return n.journal.Append(*entry)
}

// prune deletes contents that neither the state keeps nor this node serves. It
// is the newest state that counts, not the one that was acted on: what is being
// staged meanwhile is in that one only.
func (n *Node) prune(ctx context.Context) {
	served := map[string]bool{}
	for _, s := range n.Serves() {
		served[s.Digest] = true
	}
	err := n.bundles.prune(func(digest string) bool { return served[digest] || n.config.Store.State().Bundle(digest) != nil })
	if err != nil {
		n.config.Logger.WarnContext(ctx, "old contents cannot be deleted", "error", err)
	}
}

func (n *Node) announceApplying(ctx context.Context, environment string) {
	for _, kind := range configurationKinds {
		n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgApplying, kind, environment))
	}
	n.config.Logger.InfoContext(ctx, msgReloading)
}

func (n *Node) announceServing(ctx context.Context, environment string, services int, took time.Duration) {
	n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgReloaded, services))
	for _, kind := range configurationKinds {
		n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgReconciled, kind, environment))
	}
	n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgCompleted, environment, max(0, took.Milliseconds())))
}
