package node

import (
	"context"
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
)

// announce writes the lines about rollbacks from the audit records, in order and
// without gaps, on every node alike.
func (n *Node) announce(ctx context.Context) {
	next := n.config.Store.State().Meta().AuditSequence + 1
	for {
		changed := n.config.Store.Changed()
		state := n.config.Store.State()
		for r := range state.Audit(next) {
			n.announceRecord(ctx, state, r)
			next = r.Sequence + 1
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func (n *Node) announceRecord(ctx context.Context, state *fsm.State, r *fsm.AuditRecord) {
	switch r.Action {
	case "deployment.phase":
		if _, target, found := strings.Cut(r.Detail, "verification failed, rolling back to "); found {
			n.config.Logger.WarnContext(ctx, msgRollback, "environment", r.Environment, "deployment", r.Object)
			n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgRollingBack, target))
		}
	case "environment.rollback":
		n.config.Logger.InfoContext(ctx, fmt.Sprintf(msgRollingBack, strings.TrimPrefix(r.Detail, "to=")), "reason", r.Reason)
	case "deployment.rolled_back":
		n.config.Logger.InfoContext(ctx, msgRolledBack, "environment", r.Environment, "deployment", r.Object)
	case "deployment.failed":
		if d := state.Deployment(r.Object); d != nil {
			n.config.Logger.ErrorContext(ctx, "Deployment failed", "deployment", d.ID, "reason", r.Reason, "error", r.Detail)
		}
	}
}
