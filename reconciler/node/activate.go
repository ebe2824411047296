package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/internal/planted"
	"github.com/honua-io/honua-gitops/internal/tracing"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// activationBatch is how many environments wait for the disk together when a
// commit touches many: two fsyncs for all of them instead of two for each.
const activationBatch = 64

// activation is an environment on its way to what the state names.
type activation struct {
	entry Entry
	built *registry.Catalog
	begun time.Time
	span  trace.Span
}

// CatchUp activates every environment that is behind; behind reports whether
// one still is. An error means that this node must stop. Run calls it; the
// simulator does in its stead. It is not called twice at once.
func (n *Node) CatchUp(ctx context.Context, state *fsm.State) (behind bool, err error) {
	activated := false
	for batch := range slices.Chunk(n.due(state), activationBatch) {
		done, err := n.activate(ctx, state, batch)
		if err != nil {
			return false, err
		}
		activated = activated || done > 0
		behind = behind || done < len(batch)
	}
	if activated {
		n.prune(ctx)
	}
	return behind, nil
}

// due are the environments that do not serve what the state names. Stagings
// that nothing will come of any more are given back.
func (n *Node) due(state *fsm.State) []*fsm.Environment {
	var due []*fsm.Environment
	for env := range state.Environments() {
		if env.Operation == nil {
			n.stages.drop(env.Name, state.Index())
		}
		if env.Active == nil {
			continue
		}
		known, ok, _ := n.served(env.Name)
		if ok && known.problem == "" && !known.after(env.Active.Epoch, env.Active.Index) &&
			(!planted.On(planted.ActInApply) || known.ActivationIndex == env.Active.Index) {
			continue
		}
		due = append(due, env)
	}
	return due
}

// activate makes this node serve the activations of some environments, and
// returns how many it serves now. An error means that this node must stop.
func (n *Node) activate(ctx context.Context, state *fsm.State, batch []*fsm.Environment) (served int, err error) {
	n.activating.Lock()
	defer n.activating.Unlock()
	var ready []*activation
	for _, env := range batch {
		if ctx.Err() != nil {
			break
		}
		a, err := n.prepare(ctx, state, env)
		switch {
		case err == nil:
			ready = append(ready, a)
		case errors.Is(err, ErrDisk):
			giveBack(ready, err)
			return 0, err
		default:
			n.config.Logger.ErrorContext(ctx, msgReloadFailed, "environment", env.Name, "error", err)
		}
	}
	return len(ready), n.serve(ctx, ready)
}

// prepare has the catalog at hand that an activation is to serve.
func (n *Node) prepare(ctx context.Context, state *fsm.State, env *fsm.Environment) (_ *activation, err error) {
	active := env.Active
	a := &activation{begun: n.config.Now()}
	ctx, a.span = n.span(ctx, spanActivate, env.Name, active.Commit, attribute.Int64("honua.activation_index", int64(active.Index)))
	if a.built, err = n.catalogOf(ctx, state, env); err != nil {
		tracing.End(a.span, err)
		return nil, err
	}
	a.entry = Entry{
		Time: n.timestamp(), Incarnation: n.config.Incarnation, Epoch: active.Epoch, Environment: env.Name,
		ActivationIndex: active.Index, Term: state.Meta().Term, Deployment: active.DeploymentID,
		Commit: active.Commit, Digest: active.Digest, Phase: Intent,
	}
	known, ok, _ := n.served(env.Name)
	if ok && !known.after(active.Epoch, active.Index) && !planted.On(planted.ActInApply) {
		a.entry.Phase = Resumed
	}
	return a, nil
}

// catalogOf is what was staged, or is built now. That neither could be had is
// noted of what is served.
func (n *Node) catalogOf(ctx context.Context, state *fsm.State, env *fsm.Environment) (*registry.Catalog, error) {
	active := env.Active
	if built := n.stages.take(env.Name, active.Digest); built != nil {
		return built, nil
	}
	var built *registry.Catalog
	model, err := n.model(state, env.Name, active.Digest)
	if err == nil {
		built, err = n.build(ctx, env.Name, active.Digest, active.DeploymentID, model)
	}
	if known, ok, _ := n.served(env.Name); err != nil && ok {
		known.problem = err.Error()
		n.note(env.Name, known)
	}
	return built, err
}

// serve makes activations what this node serves: Intent on disk, one pointer
// swapped, Active on disk. A repair of what was activated before is no
// activation: it is journalled as resumed, and nothing more (I2).
func (n *Node) serve(ctx context.Context, ready []*activation) error {
	failpoint.Reach(failpoint.BeforeIntent)
	if err := n.journalIntents(ready); err != nil {
		giveBack(ready, err)
		return err
	}
	failpoint.Reach(failpoint.AfterIntent)
	for _, a := range ready {
		n.announceApplying(ctx, a.entry.Environment)
		failpoint.Reach(failpoint.BeforeSwap)
		n.config.Registry.Swap(a.entry.Environment, a.built)
		failpoint.Reach(failpoint.AfterSwap)
	}
	err := n.journalActive(ready)
	for _, a := range ready {
		tracing.End(a.span, err)
		if err != nil {
			continue
		}
		failpoint.Reach(failpoint.BeforeReport)
		n.note(a.entry.Environment, serving{Entry: a.entry})
		failpoint.Reach(failpoint.AfterReport)
		n.announceServing(ctx, a)
	}
	return err
}

func (n *Node) journalIntents(ready []*activation) error {
	if planted.On(planted.SkipIntent) {
		return nil
	}
	return n.journal.Append(entriesOf(ready)...)
}

func (n *Node) journalActive(ready []*activation) error {
	var first []*activation
	for _, a := range ready {
		if a.entry.Phase == Intent {
			a.entry.Phase, a.entry.Time = Active, n.timestamp()
			first = append(first, a)
		}
	}
	return n.journal.Append(entriesOf(first)...)
}

func entriesOf(activations []*activation) []Entry {
	entries := make([]Entry, len(activations))
	for i, a := range activations {
		entries[i] = a.entry
	}
	return entries
}

// giveBack ends activations that came to nothing.
func giveBack(ready []*activation, err error) {
	for _, a := range ready {
		a.built.Release()
		tracing.End(a.span, err)
	}
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

func (n *Node) announceServing(ctx context.Context, a *activation) {
	n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgReloaded, len(a.built.Model().Services)))
	for _, kind := range configurationKinds {
		n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgReconciled, kind, a.entry.Environment))
	}
	took := n.config.Now().Sub(a.begun)
	n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgCompleted, a.entry.Environment, max(0, took.Milliseconds())))
}
