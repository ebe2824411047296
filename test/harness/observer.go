//go:build unix

package harness

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// observeEvery is the pause between two requests to a node.
const observeEvery = 20 * time.Millisecond

// Observer asks nodes for their collections, again and again, and notes what answered.
type Observer struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	requests int
	failures []error
	digests  map[string]int
}

// Observe begins to ask nodes for an environment's collections.
func Observe(ctx context.Context, environment string, nodes ...*Node) *Observer {
	until, cancel := context.WithCancel(ctx)
	o := &Observer{cancel: cancel, digests: map[string]int{}}
	for _, node := range nodes {
		o.done.Go(func() { o.ask(ctx, until, node, "/environments/"+environment+"/ogc/collections") })
	}
	return o
}

// ask goes on until it is stopped, and looks once more then: what was waited for last is seen, too.
func (o *Observer) ask(ctx, until context.Context, node *Node, path string) {
	for last := false; !last; {
		last = until.Err() != nil
		r, err := node.Get(ctx, path)
		if ctx.Err() != nil {
			return
		}
		if err == nil && r.Code != http.StatusOK {
			err = fmt.Errorf("status %d: %s", r.Code, r.Body)
		}
		o.mu.Lock()
		o.requests++
		if err != nil {
			o.failures = append(o.failures, fmt.Errorf("%s: %w", node.ID, err))
		} else {
			o.digests[r.Digest()]++
		}
		o.mu.Unlock()
		Pause(until, observeEvery)
	}
}

// Stop ends the observation and returns which digests answered, how many requests there were, and which of them
// failed.
func (o *Observer) Stop() (digests []string, requests int, failures []error) {
	o.cancel()
	o.done.Wait()
	return slices.Sorted(maps.Keys(o.digests)), o.requests, o.failures
}
