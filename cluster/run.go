package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/errgroup"

	"github.com/honua-io/honua-gitops/fsm"
)

const (
	drainTimeout    = 500 * time.Millisecond
	transferTries   = 3
	transferTimeout = 600 * time.Millisecond
	workTimeout     = 2 * time.Second
	shutdownTimeout = 1500 * time.Millisecond
	lastTimeout     = time.Second
	observerBuffer  = 16
)

// Run takes part in the cluster until the context ends, then gives leadership
// away and leaves in order, within 10 s. It returns an error when the node
// cannot go on: ErrHalted, ErrStalled, or what kept it from starting.
func (n *Node) Run(ctx context.Context) error {
	// What runs in the background outlives ctx until leadership is given away.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	background, work := errgroup.WithContext(work)

	err := n.start(ctx, work, background)
	if err == nil {
		select {
		case <-ctx.Done():
		case <-n.adapter.halted:
			err = n.adapter.failure()
			n.log.Error("this node has halted", "error", err)
		case <-work.Done():
			err = context.Cause(work)
		}
	} else if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, n.stop(cancel, background))
}

func (n *Node) start(ctx, work context.Context, background *errgroup.Group) error {
	if err := n.gossip.start(ctx); err != nil {
		return err
	}
	background.Go(func() error { return n.gossip.rejoin(work) })
	if err := n.enter(ctx); err != nil {
		return err
	}
	if !n.transport.stream.vetted.Load() {
		background.Go(func() error { return n.vet(work, n.resumed) })
	}
	for _, task := range []func(context.Context) error{
		n.runTerms, n.observe, n.watchdog, n.announce, n.catchUp, n.rememberCluster, n.compareStates, n.rememberPeers,
	} {
		background.Go(func() error { return task(work) })
	}
	return nil
}

func (n *Node) startRaft() error { return n.startRaftWith(true) }

// startRaftWith starts raft. Unless its disk is vetted, its transport stays closed.
func (n *Node) startRaftWith(vetted bool) (err error) {
	// An empty log with this mark is a lost log, so the mark comes first.
	if err := n.identity.update(func(c *identityContent) { c.Started = true }); err != nil {
		return err
	}
	stream, err := listenRaft(&n.cfg)
	if err != nil {
		return err
	}
	stream.vetted.Store(vetted)
	logger := raftLogger(n.log)
	n.transport = newTransport(stream, n.contacts, n, logger)
	defer func() {
		if cause := recover(); cause != nil { // raft panics on a log that it cannot read
			err = fmt.Errorf("%w: %v", ErrDamagedLog, cause)
		}
		if err != nil {
			err = errors.Join(err, n.transport.Close())
		}
	}()
	r, err := raft.NewRaft(n.raftConfig(), n.adapter, n.disk.log, stable(n.disk.votes), n.disk.snapshots, n.transport)
	if err != nil {
		return fmt.Errorf("starting raft: %w", err)
	}
	n.raft.Store(r)
	n.leaders.notify()
	return nil
}

func (n *Node) raftConfig() *raft.Config {
	times := time.Duration(n.cfg.RaftMultiplier)
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.cfg.NodeID)
	c.HeartbeatTimeout = times * heartbeatTimeout
	c.ElectionTimeout = times * heartbeatTimeout
	c.LeaderLeaseTimeout = times * leaseTimeout
	c.CommitTimeout = times * commitTimeout
	c.SnapshotThreshold = n.cfg.SnapshotThreshold
	c.SnapshotInterval = n.cfg.SnapshotInterval
	c.TrailingLogs = n.cfg.TrailingLogs
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	c.Logger = raftLogger(n.log)
	return c
}

// observe tells everyone who waits for a leader that there is news.
func (n *Node) observe(ctx context.Context) error {
	r := n.raft.Load()
	news := make(chan raft.Observation, observerBuffer)
	observer := raft.NewObserver(news, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState:
			return true
		}
		return false
	})
	r.RegisterObserver(observer)
	defer r.DeregisterObserver(observer)
	for {
		n.leaders.notify()
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		}
	}
}

// catchUp notes when this node first had everything that was acknowledged.
func (n *Node) catchUp(ctx context.Context) error {
	for ctx.Err() == nil {
		if _, err := n.Linearize(ctx); err == nil {
			n.caughtUp.Store(true)
			n.log.Info("caught up", "index", n.store.State().Index())
			return nil
		}
		pause(ctx, entryPoll)
	}
	return nil
}

// rememberCluster keeps the cluster's id where it survives the log.
func (n *Node) rememberCluster(ctx context.Context) error {
	state, err := n.store.Until(ctx, func(s *fsm.State) bool { return s.Meta().ClusterID != "" })
	if err != nil {
		return nil //nolint:nilerr // the wait ended because the node stops
	}
	id := state.Meta().ClusterID
	if n.identity.get().ClusterID == id {
		return nil
	}
	return n.identity.update(func(c *identityContent) { c.ClusterID = id })
}

// stop leaves in order. Each step is bounded, so that a stuck one delays the
// end and does not prevent it.
func (n *Node) stop(cancel context.CancelFunc, background *errgroup.Group) error {
	n.stopping.Store(true)
	n.leaders.notify()
	n.giveAway()
	cancel()
	var problems []error
	if !within(workTimeout, func() { _ = background.Wait() }) {
		problems = append(problems, errors.New("a task of this node does not end"))
	}
	n.gossip.stop()
	problems = append(problems, n.peers.close())
	// Calls end while raft still answers: what it holds when it ends it forgets.
	ended := within(shutdownTimeout, n.tasks.dismiss)
	if !n.shutdownRaft() {
		// Its goroutines may still write: the stores stay open.
		return errors.Join(append(problems, errors.New("raft does not end: the disk may hang"))...)
	}
	if !ended && !within(lastTimeout, n.tasks.dismiss) {
		problems = append(problems, errors.New("a call does not end"))
	}
	return errors.Join(append(problems, n.progress.save(), n.disk.close())...)
}

// giveAway lets what is in flight finish and moves the leadership.
func (n *Node) giveAway() {
	r := n.raft.Load()
	if r == nil || n.adapter.failure() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout) //nolint:forbidigo // stopping begins when the context has ended
	n.proposals.drain(ctx)
	cancel()
	for try := 0; try < transferTries && r.State() == raft.Leader && n.otherVoters() > 0; try++ {
		ctx, cancel := context.WithTimeout(context.Background(), transferTimeout) //nolint:forbidigo // stopping begins when the context has ended
		if err := n.handOver(ctx, r, "", ""); err != nil {
			n.log.Warn("leadership not transferred", "try", try+1, "error", err)
		}
		cancel()
	}
}

func (n *Node) otherVoters() int {
	others := 0
	for _, s := range n.configuration() {
		if s.Suffrage == raft.Voter && string(s.ID) != n.cfg.NodeID {
			others++
		}
	}
	return others
}

// shutdownRaft ends the transport first: raft waits for its goroutines, and
// they for the network.
func (n *Node) shutdownRaft() bool {
	r := n.raft.Load()
	if r == nil {
		return true
	}
	return within(shutdownTimeout, func() {
		future := r.Shutdown()
		if err := n.transport.Close(); err != nil {
			n.log.Debug("raft transport not closed in order", "error", err)
		}
		if err := future.Error(); err != nil {
			n.log.Warn("raft not ended in order", "error", err)
		}
	})
}

// within runs something that cannot be interrupted and reports whether it
// ended in time.
func within(limit time.Duration, do func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
