package leader

import (
	"errors"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
)

var errActiveUnreadable = errors.New("the active content cannot be read back")

// base reads what an environment serves now from the replicated state, so that
// a comparison needs no history and no Git.
func (l *Lookout) base(state *fsm.State, env *fsm.Environment) (*base, error) {
	if env.Active == nil {
		return &base{}, nil
	}
	known := l.models[env.Name]
	if known == nil || known.digest != env.Active.Digest {
		read, err := readActive(state, env)
		if err != nil {
			return &base{digest: env.Active.Digest}, err
		}
		known = read
		l.models[env.Name] = known
	}
	b := *known
	b.commit = env.SyncedCommit
	if b.commit == "" {
		b.commit = env.Active.Commit
	}
	b.estimate = estimate(&env.Counters.Succeeded)
	return &b, nil
}

func readActive(state *fsm.State, env *fsm.Environment) (*base, error) {
	stored := state.Bundle(env.Active.Digest)
	if stored == nil {
		return nil, fmt.Errorf("%w: its bundle is missing", errActiveUnreadable)
	}
	active, err := content.Unpack(stored.Compressed, stored.RawSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errActiveUnreadable, err)
	}
	b := &base{digest: env.Active.Digest, policy: active.Policy}
	model, problems := catalog.Parse(env.Name, active.Files)
	if model == nil {
		return nil, fmt.Errorf("%w: %w", errActiveUnreadable, problems[0])
	}
	b.model = model
	return b, nil
}

// estimate is the mean duration of this environment's deployments; 0 before the first.
func estimate(h *fsm.Histogram) time.Duration {
	count := uint64(0)
	for _, n := range h.Buckets {
		count += n
	}
	if count == 0 {
		return 0
	}
	return time.Duration(h.SumMs/count) * time.Millisecond
}
