package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/internal/planted"
)

func (n *Node) usable() error {
	if n.stopping.Load() {
		return ErrStopping
	}
	return n.adapter.failure()
}

// proposeHere replicates as the leader. A term other than 0 has to be the one
// that is established.
func (n *Node) proposeHere(ctx context.Context, data []byte, term uint64) (fsm.Result, error) {
	if err := n.usable(); err != nil {
		return fsm.Result{}, err
	}
	lead := n.leading.Load()
	if lead == nil && term == 0 {
		lead = n.awaitTerm(ctx)
	}
	if lead == nil || term != 0 && lead.number != term {
		return fsm.Result{}, ErrNotLeader
	}
	if err := checkSize(MaxSettingsBytes, data); err != nil { // the node that took the command knows which it is
		return fsm.Result{}, err
	}
	if err := rehearse(n.store.State(), lead.number, data); err != nil {
		return fsm.Result{}, fmt.Errorf("%w: %w", ErrUnapplicable, err)
	}
	if err := n.proposals.enter(ctx); err != nil {
		return fsm.Result{}, err
	}
	if planted.On(planted.Acknowledge) {
		n.tasks.start(func() { _, _ = n.apply(context.WithoutCancel(ctx), lead.raft, data) })
		_, result, err := fsm.Apply(n.store.State(), fsm.Entry{Index: n.store.State().Index() + 1, Term: lead.number, Data: data})
		return result, err
	}
	return n.apply(ctx, lead.raft, data)
}

// awaitTerm returns the established term, nil if this node does not lead. A node
// that has just won lets callers wait for its barrier: sent away, they would come
// back later than it takes.
func (n *Node) awaitTerm(ctx context.Context) *leadership {
	for {
		changed := n.leaders.changed()
		if lead := n.leading.Load(); lead != nil {
			return lead
		}
		if r := n.raft.Load(); r == nil || r.State() != raft.Leader || n.usable() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// spread has the followers learn at once what was committed. They learn it with
// the next entry, or after a commit interval; the node that a command came from
// answers when it has applied it. While other commands are in flight theirs are
// the next entries.
func (n *Node) spread() {
	lead := n.leading.Load()
	if lead == nil || len(n.proposals.slots) > 1 { // the command itself may not have left yet
		return
	}
	n.tasks.start(func() { _ = lead.raft.Barrier(n.cfg.electionTimeout()).Error() })
}

// apply hands an entry to raft. Raft's own timeout bounds only its queue, so
// the wait is bounded here; what is waited for goes on.
func (n *Node) apply(ctx context.Context, r *raft.Raft, data []byte) (fsm.Result, error) {
	type outcome struct {
		result fsm.Result
		err    error
	}
	done := make(chan outcome, 1)
	start := time.Now()
	started := n.tasks.start(func() {
		defer n.proposals.leave(start)
		failpoint.Reach(failpoint.BeforePropose)
		future := r.ApplyLog(sealed(data), n.cfg.electionTimeout())
		if err := future.Error(); err != nil {
			n.proposals.alarm()
			done <- outcome{err: raftError(err)}
			return
		}
		a, _ := future.Response().(applied)
		if a.err != nil {
			// The entry is in the log: other nodes may execute it.
			done <- outcome{err: executedMaybe(a.err)}
			return
		}
		failpoint.Reach(failpoint.AfterPropose)
		done <- outcome{result: a.result}
	})
	if !started {
		n.proposals.leave(start)
		return fsm.Result{}, ErrStopping
	}
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		n.proposals.alarm()
		return fsm.Result{}, executedMaybe(context.Cause(ctx))
	}
}

// raftError sorts raft's errors into what certainly did not happen and the rest.
func raftError(err error) error {
	switch {
	case planted.On(planted.Deny), errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress),
		errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", ErrNotLeader, err)
	default:
		return executedMaybe(err)
	}
}
