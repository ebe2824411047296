package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/clock"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// MaxCommandBytes bounds a log entry. Entries much above 256 KiB make raft's
	// batches so large that leadership is lost over them.
	MaxCommandBytes = 256<<10 + 16<<10
	// MaxSettingsBytes bounds the entries that hold the settings of all
	// environments, some 400 bytes each: they are rare, and never many at once.
	MaxSettingsBytes = 1 << 20
	// proposalTimeout bounds callers that brought no deadline.
	proposalTimeout = 30 * time.Second
	// answerMargin is kept of a caller's time: an answer that comes with the
	// deadline is lost, and with it that nothing was executed.
	answerMargin = 200 * time.Millisecond
	retryPause   = 20 * time.Millisecond
)

// Command is something to be replicated.
type Command struct {
	// RequestID makes a repetition harmless; empty for the leader half.
	RequestID string
	// IssuedAt is when the caller first asked, Unix milliseconds.
	IssuedAt int64
	Caller   *pb.Caller
	// Term limits the command to a term that this node leads; 0: any.
	Term    uint64
	Payload *pb.Payload
	// Awaited has the followers learn at once that it was committed, rather than
	// within a commit interval: they are asked for something that waits for it. It
	// is for what this node proposes as the leader.
	Awaited bool
}

// Propose replicates a command and returns what the state machine made of it.
// A nil error means that it was executed or refused there; see Result.Err.
// Without a leader it waits within the context for one. Errors are those of
// NotExecuted, and ErrUnknownOutcome.
func (n *Node) Propose(ctx context.Context, c Command) (fsm.Result, error) {
	ctx, cancel := bound(ctx)
	defer cancel()
	result, err := n.propose(ctx, c)
	switch {
	case errors.Is(err, ErrUnknownOutcome):
		n.proposals.unknown.Add(1)
	case err != nil:
		n.proposals.refused.Add(1)
	}
	return result, err
}

// bound limits a call to proposalTimeout, and to a little less than the time
// that its caller has.
func bound(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := proposalTimeout
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		limit = min(limit, left-min(left/10, answerMargin))
	}
	return context.WithTimeout(ctx, limit)
}

func (n *Node) propose(ctx context.Context, c Command) (fsm.Result, error) {
	data, err := fsm.Encode(fsm.Header{
		Format:    n.store.State().Meta().Format,
		RequestID: c.RequestID, IssuedAt: c.IssuedAt, Caller: c.Caller, Term: c.Term,
		Proposer: n.cfg.NodeID, ProposedAt: clock.Now().UnixMilli(),
	}, c.Payload)
	if err != nil {
		return fsm.Result{}, fmt.Errorf("%w: %w", ErrUnapplicable, err)
	}
	if err := checkSize(mostBytes(c.Payload), data); err != nil {
		return fsm.Result{}, err
	}
	if c.Term != 0 {
		result, err := n.proposeHere(ctx, data, c.Term)
		if err == nil && c.Awaited {
			n.spread()
		}
		return result, err
	}
	return n.proposeAnywhere(ctx, data, c.RequestID != "")
}

func checkSize(most int, data []byte) error {
	if len(data) > most {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), most)
	}
	return nil
}

// mostBytes is how large a command may be, with its caller.
func mostBytes(p *pb.Payload) int {
	switch p.GetCommand().(type) {
	case *pb.Payload_InitCluster, *pb.Payload_SetSettings:
		return MaxSettingsBytes
	default:
		return MaxCommandBytes
	}
}

// proposeAnywhere goes from leader to leader until one gives an answer. After
// an attempt of unknown outcome only a repeatable command is tried again: the
// state machine remembers its id.
func (n *Node) proposeAnywhere(ctx context.Context, data []byte, repeatable bool) (fsm.Result, error) {
	var doubt error
	for {
		changed := n.leaders.changed()
		result, err := n.attempt(ctx, data)
		if err == nil {
			return result, nil
		}
		if errors.Is(err, ErrUnknownOutcome) {
			if !repeatable {
				return fsm.Result{}, err
			}
			doubt = err
		} else if !passing(err) {
			return fsm.Result{}, errors.Join(err, doubt)
		}
		if !n.awaitChange(ctx, changed) {
			if doubt != nil {
				return fsm.Result{}, doubt
			}
			return fsm.Result{}, n.noLeader(err)
		}
	}
}

// passing reports whether another leader, or the same a little later, may accept.
func passing(err error) bool {
	return errors.Is(err, ErrNotLeader) || errors.Is(err, ErrNoLeader) || errors.Is(err, ErrStopping)
}

// awaitChange waits for news of the leader, or a little: not all news reaches
// this node. On a node that stops there is nothing to wait for: who waited there
// would until the end of the process, and can ask another node.
func (n *Node) awaitChange(ctx context.Context, changed <-chan struct{}) bool {
	if n.stopping.Load() {
		return false
	}
	timer := time.NewTimer(retryPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

func (n *Node) attempt(ctx context.Context, data []byte) (fsm.Result, error) {
	if err := n.usable(); err != nil {
		return fsm.Result{}, err
	}
	id, self := n.leader()
	switch {
	case self:
		return n.proposeHere(ctx, data, 0)
	case id == "":
		return fsm.Result{}, ErrNoLeader
	default:
		return n.forward(ctx, id, data)
	}
}
