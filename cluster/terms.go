package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/clock"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// taskPause is between two runs of a leader task that ended before its term.
const taskPause = time.Second

// LeaderTask is what only the leader does.
type LeaderTask interface {
	// Lead runs once everything from earlier terms is applied, until the term
	// ends and its context with it. The next term's Lead begins only after this
	// one has returned. When it returns early, it is started again.
	Lead(ctx context.Context, term Term) error
}

// Term is one term in which this node leads.
type Term struct {
	Number uint64
	Node   *Node
}

// Propose replicates a command in this term, or not at all (I10).
func (t Term) Propose(ctx context.Context, payload *pb.Payload) (fsm.Result, error) {
	return t.Node.Propose(ctx, Command{Term: t.Number, Payload: payload, IssuedAt: clock.Now().UnixMilli()})
}

// leadership is an established term.
type leadership struct {
	number uint64
	raft   *raft.Raft
	since  time.Time
}

// tenure is a term's work.
type tenure struct {
	number uint64
	cancel context.CancelFunc
	done   chan struct{}
}

func (t *tenure) end() {
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// runTerms follows leadership. Raft's channel only says that something
// happened; what counts is the state now: true twice hides that leadership was
// lost in between, which the term's number shows.
func (n *Node) runTerms(ctx context.Context) error {
	r := n.raft.Load()
	var current *tenure
	defer func() { current.end() }()
	for {
		number, leads := leadingTerm(r)
		if current != nil && (!leads || current.number != number) {
			n.leading.Store(nil)
			n.leaders.notify()
			n.log.Info("leadership ended", "term", current.number)
			current.end()
			current = nil
			continue // what is true now may have changed while the task ended
		}
		if leads && current == nil {
			current = n.beginTerm(ctx, r, number)
		}
		select {
		case <-ctx.Done():
			n.leading.Store(nil)
			return nil
		case <-r.LeaderCh():
		}
	}
}

func leadingTerm(r *raft.Raft) (uint64, bool) {
	for {
		number := r.CurrentTerm()
		leads := r.State() == raft.Leader
		if r.CurrentTerm() == number {
			return number, leads
		}
	}
}

func (n *Node) beginTerm(ctx context.Context, r *raft.Raft, number uint64) *tenure {
	ctx, cancel := context.WithCancel(ctx)
	t := &tenure{number: number, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer cancel()
		n.log.Info("leadership won", "term", number)
		n.serveTerm(ctx, &leadership{number: number, raft: r, since: time.Now()})
	}()
	return t
}

func (n *Node) serveTerm(ctx context.Context, lead *leadership) {
	n.proposals.alarm()
	for {
		err := n.await(ctx, func() raft.Future { return lead.raft.Barrier(0) })
		if err == nil {
			break
		}
		n.log.Debug("barrier failed", "term", lead.number, "error", err)
		if !pause(ctx, retryPause) {
			return
		}
	}
	n.leading.Store(lead)
	n.leaders.notify()
	term := Term{Number: lead.number, Node: n}
	for {
		err := n.found(ctx, term)
		if err == nil {
			break
		}
		n.log.Warn("the cluster is not initialised yet", "term", lead.number, "error", err)
		if !pause(ctx, taskPause) {
			return
		}
	}
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { n.reconcile(ctx, term) })
	n.runTask(ctx, term)
}

func (n *Node) runTask(ctx context.Context, term Term) {
	if n.cfg.LeaderTask == nil {
		<-ctx.Done()
		return
	}
	for {
		err := n.cfg.LeaderTask.Lead(ctx, term)
		if ctx.Err() != nil {
			return
		}
		n.log.Error("the leader's task ended before its term", "term", term.Number, "error", err)
		if !pause(ctx, taskPause) {
			return
		}
	}
}

// found makes a new cluster's first entries, and puts this node on record.
func (n *Node) found(ctx context.Context, term Term) error {
	if n.store.State().Meta().ClusterID == "" {
		settings, digest := &pb.SettingsValue{}, ""
		if n.cfg.InitialSettings != nil {
			settings, digest = n.cfg.InitialSettings()
		}
		result, err := term.Propose(ctx, &pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
			ClusterId: newUUID(), ClusterName: n.cfg.ClusterName, Settings: settings, SettingsDigest: digest,
		}}})
		if err = errors.Join(err, result.Err()); err != nil {
			return fmt.Errorf("initialising the cluster: %w", err)
		}
	}
	return n.admit(ctx, n.joinRequest())
}
