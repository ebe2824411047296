package admin

import (
	"iter"

	"github.com/honua-io/honua-gitops/fsm"
)

// newestDeployments yields the deployments of every environment with an ordinal
// below the given one, the newest first.
func newestDeployments(state *fsm.State, before uint64) iter.Seq[*fsm.Deployment] {
	return func(yield func(*fsm.Deployment) bool) {
		var heads []*head
		defer func() {
			for _, h := range heads {
				h.stop()
			}
		}()
		for e := range state.Environments() {
			next, stop := iter.Pull(state.DeploymentsBefore(e.Name, before))
			h := &head{next: next, stop: stop}
			heads = append(heads, h)
			h.advance()
		}
		for {
			newest := newestOf(heads)
			if newest == nil || !yield(newest.deployment) {
				return
			}
			newest.advance()
		}
	}
}

// head is the newest deployment of one environment that was not yielded yet.
type head struct {
	deployment *fsm.Deployment
	next       func() (*fsm.Deployment, bool)
	stop       func()
}

func (h *head) advance() { h.deployment, _ = h.next() }

func newestOf(heads []*head) *head {
	var newest *head
	for _, h := range heads {
		if h.deployment != nil && (newest == nil || h.deployment.Ordinal > newest.deployment.Ordinal) {
			newest = h
		}
	}
	return newest
}
