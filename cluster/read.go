package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/planted"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// roundTimeout bounds one exchange for reads; whoever waits longer tries again.
const roundTimeout = 2 * time.Second

// Linearize returns a state that reflects everything that was acknowledged to
// anyone before the call (I8). Without a leader it waits within the context for
// one; its errors are ErrNoLeader, ErrStopping and ErrHalted.
func (n *Node) Linearize(ctx context.Context) (*fsm.State, error) {
	ctx, cancel := bound(ctx)
	defer cancel()
	for {
		if err := n.usable(); err != nil {
			return nil, err
		}
		changed := n.leaders.changed()
		index, err := n.readIndex(ctx)
		if err == nil {
			return n.reach(ctx, index)
		}
		if !n.awaitChange(ctx, changed) {
			return nil, n.noLeader(err)
		}
	}
}

func (n *Node) reach(ctx context.Context, index uint64) (*fsm.State, error) {
	state, err := n.store.Wait(ctx, index)
	if err == nil {
		return state, nil
	}
	if fatal := n.adapter.failure(); fatal != nil {
		return nil, fatal
	}
	return nil, fmt.Errorf("%w: this node is at index %d, a current read needs %d: %w", ErrNoLeader, state.Index(), index, err)
}

func (n *Node) readIndex(ctx context.Context) (uint64, error) {
	id, self := n.leader()
	switch {
	case self:
		return n.verified.join(ctx, n, n.verifiedIndex)
	case id == "":
		return 0, ErrNoLeader
	default:
		return n.asked.join(ctx, n, n.askedIndex)
	}
}

// verifiedIndex is the leader's: what is committed now is all that anyone can
// have seen, provided that nobody else leads.
func (n *Node) verifiedIndex(ctx context.Context) (uint64, error) {
	lead := n.leading.Load()
	if lead == nil {
		return 0, ErrNotLeader
	}
	commit := lead.raft.CommitIndex()
	if planted.On(planted.ReadAnywhere) {
		return n.store.State().Index(), nil
	}
	if err := n.await(ctx, func() raft.Future { return lead.raft.VerifyLeader() }); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNotLeader, err)
	}
	if n.leading.Load() != lead || lead.raft.CurrentTerm() != lead.number {
		return 0, ErrNotLeader
	}
	return n.commands.last(n.disk.log, n.store.State().Index(), commit)
}

func (n *Node) askedIndex(ctx context.Context) (uint64, error) {
	var index uint64
	id, _ := n.leader()
	if id == "" {
		return 0, ErrNoLeader
	}
	err := n.ask(ctx, id, func(ctx context.Context, client pb.PeerServiceClient) error {
		response, err := client.GetReadIndex(ctx, &pb.GetReadIndexRequest{})
		index = response.GetIndex()
		return err
	})
	return index, err
}

// reads lets any number of concurrent reads share one exchange. A read may only
// join an exchange that begins after it arrived.
type reads struct {
	mu      sync.Mutex
	running bool
	next    *round
}

type round struct {
	done  chan struct{}
	index uint64
	err   error
}

func (r *reads) join(ctx context.Context, n *Node, exchange func(context.Context) (uint64, error)) (uint64, error) {
	r.mu.Lock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
	}
	mine := r.next
	if !r.running {
		if !n.tasks.start(func() { r.run(exchange) }) {
			r.mu.Unlock()
			return 0, ErrStopping
		}
		r.running = true
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
		return mine.index, mine.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

func (r *reads) run(exchange func(context.Context) (uint64, error)) {
	for {
		r.mu.Lock()
		current := r.next
		r.next = nil
		r.running = current != nil
		r.mu.Unlock()
		if current == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), roundTimeout) //nolint:forbidigo // a round serves many callers and ends by itself
		current.index, current.err = exchange(ctx)
		cancel()
		close(current.done)
	}
}

// commandScan finds the newest command at or before an index of raft's log.
// Raft's own entries do not reach the state machine, so that its index never
// says that they were passed.
type commandScan struct {
	mu sync.Mutex
	// upTo was scanned, and found is its newest command.
	upTo, found uint64
}

func (c *commandScan) last(log raft.LogStore, applied, commit uint64) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := max(applied, c.found)
	for index := commit; index > max(applied, c.upTo); index-- {
		var entry raft.Log
		err := log.GetLog(index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			break // it is in a snapshot, and so in the state
		}
		if err != nil {
			return 0, err
		}
		if entry.Type == raft.LogCommand {
			found = index
			break
		}
	}
	if commit >= c.upTo {
		c.upTo, c.found = commit, found
	}
	return found, nil
}
