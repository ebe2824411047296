//go:build linux

package chaos

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/harness"
)

// lookEvery is the pause between two looks at who leads.
const lookEvery = 100 * time.Millisecond

// leaders follows who leads, as the nodes say it.
type leaders struct {
	nodes []*harness.Node
	begun time.Time

	mu   sync.Mutex
	term uint64
	node string
	seen []history.Leader
}

func newLeaders(nodes []*harness.Node, begun time.Time) *leaders {
	return &leaders{nodes: nodes, begun: begun}
}

// follow asks all nodes until the context ends. Each is asked by itself: one that hangs delays no other.
func (l *leaders) follow(ctx context.Context) {
	var all sync.WaitGroup
	for _, n := range l.nodes {
		all.Go(func() {
			for harness.Pause(ctx, lookEvery) {
				if status, err := n.Status(ctx); err == nil && status.GetLeaderId() != "" {
					l.note(status.GetTerm(), status.GetLeaderId())
				}
			}
		})
	}
	all.Wait()
}

func (l *leaders) note(term uint64, node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if term > l.term {
		l.term, l.node = term, node
		l.seen = append(l.seen, history.Leader{At: time.Since(l.begun), Node: node, Term: term})
	}
}

// newest is the node that leads the highest term that was seen; -1 before there is one.
func (l *leaders) newest() (index int, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.IndexFunc(l.nodes, func(n *harness.Node) bool { return n.ID == l.node }), l.term
}

func (l *leaders) list() []history.Leader {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}
