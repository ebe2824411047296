package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// catchUp is how long a watch waits for this node to reach a token that another
// node gave.
const catchUp = 10 * time.Second

// follow shows a watch every newer state until the client leaves or the server
// drains. States in between two looks are skipped: what a watch may not miss it
// takes from what a state remembers.
func (c *core) follow(ctx context.Context, look func(*fsm.State) error) error {
	for {
		changed := c.Store.Changed()
		if err := look(c.Store.State()); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return watchEnded(ctx.Err())
		case <-c.draining:
			return &problem{failure: Draining, message: "draining: this node stops, resume at another one"}
		}
	}
}

// watchEnded is the end of a watch whose client left, or gave it a time that is over: this clock may see that before
// the client's does, who then gets to read it.
func watchEnded(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &problem{failure: Deadline, message: "the time that the watch was given is over"}
	}
	return &problem{failure: Cancelled, message: "the watch was ended"}
}

// reach waits until this node has applied the index of a token. One that it does
// not reach was given by another history, such as that before a restore.
func (c *core) reach(ctx context.Context, index uint64) error {
	bounded, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	state, err := c.Store.Wait(bounded, index)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return c.readFailed(ctx.Err())
	}
	return &problem{
		failure: OutOfRange, reason: "token_ahead",
		message: fmt.Sprintf("index %d is ahead of this node, which is at %d: begin again without an index", index, state.Index()),
	}
}
