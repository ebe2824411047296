package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How long a node is passed over after it could not be reached, was silent, or could not help.
const (
	avoidUnreachable = 500 * time.Millisecond
	avoidSilent      = 5 * time.Second
	avoidUnhelpful   = 20 * time.Millisecond
)

// lastAttempt is how much time a change needs to be worth another attempt.
const lastAttempt = 250 * time.Millisecond

// Invoke calls a method on one node and, while that may change the result, on the others. Its errors are *Error.
func (c *Client) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	a := &attempts{
		client: c, started: time.Now(), silence: c.config.AttemptTimeout, options: opts,
		call: newCall(method, args, func() string { return NewRequestID(time.Now()) }),
	}
	for {
		done, err := a.next(ctx, reply)
		if done {
			return err
		}
	}
}

func (c *Client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.config.Timeout)
}

// attempts is one call on its way from node to node.
type attempts struct {
	client  *Client
	call    call
	options []grpc.CallOption
	started time.Time
	// silence is how long the next node may take to answer.
	silence time.Duration
	// unknown is set once an attempt may have been executed.
	unknown bool
	// answered is set once a node answered that it cannot help now.
	answered bool
	// lost is when no node could be reached any more; zero while one can.
	lost time.Time
	last error
}

// next makes one attempt. done reports that there will be no other.
func (a *attempts) next(ctx context.Context, reply any) (done bool, err error) {
	if ctx.Err() != nil {
		return true, a.ended(ctx)
	}
	if a.tooLate(ctx) {
		return true, a.failure(ErrNoLeader)
	}
	node, fresh := a.client.pool.pick(time.Now())
	conn, err := node.connect(ctx)
	if err != nil {
		return a.unreachable(ctx, node, fresh, err)
	}
	a.lost = time.Time{}
	attempt, cancel := context.WithTimeout(ctx, a.silence)
	err = conn.Invoke(attempt, a.call.method, a.call.message, reply, a.options...)
	silent := attempt.Err() != nil && ctx.Err() == nil
	cancel()
	if err == nil {
		a.client.pool.prefer(node)
		return true, nil
	}
	return a.failed(ctx, node, silent, err)
}

// tooLate reports that another attempt would likely be cut off by the deadline. While every answer was that nothing
// was executed, ending with that is worth more than ending with an outcome that nobody knows.
func (a *attempts) tooLate(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	budget := deadline.Sub(a.started)
	return a.answered && !a.unknown && a.call.effect != reads && time.Until(deadline) < min(lastAttempt, budget/4)
}

// unreachable goes on to the next node at once, or after a pause when all of them have been tried.
func (a *attempts) unreachable(ctx context.Context, node *endpoint, fresh bool, err error) (bool, error) {
	now := time.Now()
	a.client.pool.avoid(node, now.Add(avoidUnreachable))
	a.client.config.Logger.Debug("node unreachable", "address", node.address, "error", err)
	if ctx.Err() != nil {
		return true, a.ended(ctx)
	}
	a.last = err
	if a.lost.IsZero() {
		a.lost = now
	}
	if giveUp := a.client.config.GiveUp; giveUp >= 0 && now.Sub(a.lost) >= giveUp {
		return true, a.failure(ErrUnreachable)
	}
	if !fresh {
		pause(ctx, now.Sub(a.started))
	}
	return false, nil
}

// failed decides from an answer whether there is a next attempt.
func (a *attempts) failed(ctx context.Context, node *endpoint, silent bool, err error) (bool, error) {
	a.last = err
	opinion := judge(err)
	if a.call.effect != reads && (opinion == unclear || opinion == broken || opinion == open) {
		a.unknown = true
	}
	switch {
	case opinion == open && a.call.effect != reads:
		return true, a.failure(ErrUndecided)
	case opinion.refused():
		a.unknown = a.unknown && opinion != decided
		return true, a.failure(ErrRefused)
	case ctx.Err() != nil:
		return true, a.ended(ctx)
	case opinion == broken, opinion == unclear && a.call.effect == once:
		return true, a.failure(ErrFailed)
	}
	now := time.Now()
	a.answered = a.answered || opinion == elsewhere && status.Code(err) != codes.ResourceExhausted
	rest := avoidUnhelpful
	if silent {
		rest = avoidSilent
		a.silence *= 2
	}
	a.client.pool.avoid(node, now.Add(rest))
	if leader := leaderHint(err); leader != "" && leader != node.address {
		a.client.pool.hint(leader, now)
	}
	a.client.config.Logger.Debug("trying again", "method", a.call.method, "address", node.address, "error", err)
	pause(ctx, now.Sub(a.started))
	return false, nil
}

// ended is the error of a call whose context ended.
func (a *attempts) ended(ctx context.Context) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return a.failure(ErrCanceled)
	case a.answered && !a.unknown:
		return a.failure(ErrNoLeader)
	case !a.lost.IsZero() && !a.unknown:
		return a.failure(ErrUnreachable)
	}
	return a.failure(ErrTimeout)
}

func (a *attempts) failure(reason error) error {
	failure := &Error{Method: a.call.method, RequestID: a.call.requestID, Reason: reason, Cause: a.last}
	if a.unknown {
		failure.Outcome = Unknown
	}
	return failure
}
