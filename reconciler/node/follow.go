package node

import (
	"context"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/planted"
)

// retryInterval is how long after a failed activation the next try is made.
const retryInterval = time.Second

// followPauseMax bounds the rest after a look at what is to be activated, which is as
// long as the look was: in a storm of changes most looks find nothing.
const followPauseMax = 10 * time.Millisecond

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
		changed, begun := n.config.Store.Changed(), n.config.Now()
		retry := time.Hour
		behind, err := n.CatchUp(ctx, n.config.Store.State())
		if err != nil {
			return err
		}
		if behind {
			retry = retryInterval
		}
		sleep(ctx, min(n.config.Now().Sub(begun), followPauseMax))
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
