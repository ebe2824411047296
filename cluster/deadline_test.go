package cluster

import (
	"context"
	"errors"
	"testing"
	"time"
)

// I14: without a quorum a caller learns that nothing was executed before its time is over, not after.
func TestAnswersBeforeTheDeadline(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		left := l.followers()[0]
		for _, m := range ms {
			if m != left {
				m.kill()
			}
		}
		l.eventually(10*time.Second, "no leader", func() bool { id, _ := left.node.leader(); return id == "" })
		ask := func(call func(ctx context.Context) error) {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			if err := call(ctx); !errors.Is(err, ErrNoLeader) || ctx.Err() != nil {
				l.t.Errorf("%v, with the caller's context %v", err, ctx.Err())
			}
		}
		ask(func(ctx context.Context) error { _, err := left.node.Propose(ctx, poll("nobody hears it")); return err })
		ask(func(ctx context.Context) error { _, err := left.node.Linearize(ctx); return err })
	})
}
