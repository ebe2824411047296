package cluster

import (
	"context"
	"sync"

	"github.com/hashicorp/raft"
)

// crew is a set of goroutines that somebody waits for. It may be joined while
// others still try to start more.
type crew struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// start runs a task, unless the crew has been dismissed.
func (c *crew) start(task func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.wg.Go(task)
	return true
}

// dismiss starts nothing more and waits for what runs.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wg.Wait()
}

// await waits for one of raft's futures, which know no context.
func (n *Node) await(ctx context.Context, start func() raft.Future) error {
	done := make(chan error, 1)
	if !n.tasks.start(func() { done <- start().Error() }) {
		return ErrStopping
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
