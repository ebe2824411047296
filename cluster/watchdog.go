package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// idleProbe is between two barriers while nothing is slow. Each is an entry
	// in everyone's log.
	idleProbe = 5 * time.Second
	// stallElections is after how many election timeouts a leader gives up.
	stallElections = 5
	// ticksPerElection is how finely the watchdog counts.
	ticksPerElection = 5
)

// watchdog ends the process of a leader whose own entries do not commit. With
// a hung disk it goes on sending heartbeats, so that nobody else is elected
// (https://github.com/hashicorp/raft/issues/503), and after an interrupted
// transfer it may refuse writes for ever
// (https://github.com/hashicorp/raft/issues/696). A transfer of leadership
// would hang as well.
func (n *Node) watchdog(ctx context.Context) error {
	r := n.raft.Load()
	ticker := time.NewTicker(n.cfg.electionTimeout())
	defer ticker.Stop()
	var probed time.Time
	var finished uint64
	for {
		var suspicious bool
		select {
		case <-ctx.Done():
			return nil
		case <-n.proposals.kick:
			suspicious = true
		case <-ticker.C:
			before := finished
			finished = n.proposals.finished()
			suspicious = len(n.proposals.slots) > 0 && finished == before
		}
		if r.State() != raft.Leader || !suspicious && time.Since(probed) < idleProbe {
			continue
		}
		if n.probe(ctx, r) {
			probed = time.Now()
			continue
		}
		err := fmt.Errorf("%w: nothing was committed for %s in term %d, although the process ran and no peer was catching up: the disk may hang",
			ErrStalled, stallElections*n.cfg.electionTimeout(), r.CurrentTerm())
		n.log.Error("the watchdog ends this process", "error", err)
		n.cfg.Exit(err)
		return err
	}
}

// probe reports whether a barrier committed in time, or the question ended.
// Time counts only while this process runs: of a gap between two ticks, such as
// a stopped process or a suspended machine makes, no more counts than one
// tick. It does not count while a peer catches up either.
func (n *Node) probe(ctx context.Context, r *raft.Raft) bool {
	limit := stallElections * n.cfg.electionTimeout()
	tick := n.cfg.electionTimeout() / ticksPerElection
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	if !n.tasks.start(func() {
		defer close(done)
		n.commitBarrier(ctx, r)
	}) {
		return true
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	progress := n.contacts.progress()
	for spent := time.Duration(0); spent < limit; {
		select {
		case <-ctx.Done():
			return true
		case <-done:
			return true
		case <-ticker.C:
		}
		if now := n.contacts.progress(); now != progress {
			progress = now
			continue
		}
		spent += tick
	}
	return r.State() != raft.Leader
}

// commitBarrier returns once a barrier committed, or this node leads no more.
func (n *Node) commitBarrier(ctx context.Context, r *raft.Raft) {
	for r.State() == raft.Leader {
		err := r.Barrier(n.cfg.electionTimeout()).Error()
		if err == nil || errors.Is(err, raft.ErrRaftShutdown) {
			return
		}
		if !pause(ctx, retryPause) {
			return
		}
	}
}
