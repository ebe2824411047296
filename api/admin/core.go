package admin

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// RequestIDHeader is the header in which an answer to a change names its
// request id; the server makes one if the caller gave none.
const RequestIDHeader = "honua-request-id"

// core is what the services share.
type core struct {
	Config
	denials *denials
	// draining is closed when the server begins to stop.
	draining chan struct{}
}

// read returns a state as fresh as a call asks for (I8, I9).
func (c *core) read(ctx context.Context, consistency pb.Consistency) (*fsm.State, error) {
	if consistency == pb.Consistency_CONSISTENCY_STALE {
		return c.Store.State(), nil
	}
	state, err := c.Reader.Linearize(ctx)
	if err != nil {
		return nil, c.readFailed(err)
	}
	return state, nil
}

// change is one change that a caller asks for.
type change struct {
	requestID string
	// actor is who the caller says to be; see Identity.named.
	actor string
	// environment is where the caller needs the role least; empty: everywhere.
	environment string
	least       Role
	payload     *pb.Payload
}

// execute has the cluster execute a change and returns what it came to, with a
// state of this node that shows it.
func (c *core) execute(ctx context.Context, ch change) (fsm.Result, *fsm.State, error) {
	if err := c.permit(ctx, ch.environment, ch.least); err != nil {
		return fsm.Result{}, nil, err
	}
	result, state, err := c.commit(ctx, ch)
	var refused *problem
	if errors.As(err, &refused) && refused.failure == Denied {
		method, _ := grpc.Method(ctx)
		c.denied(identityOf(ctx), method, refused.message)
	}
	return result, state, err
}

// commit is execute for a caller whose role suffices.
func (c *core) commit(ctx context.Context, ch change) (fsm.Result, *fsm.State, error) {
	identity := identityOf(ctx)
	name, err := identity.named(ch.actor)
	if err != nil {
		return fsm.Result{}, nil, err
	}
	id, issued := c.requestID(ctx, ch.requestID)
	result, err := c.Proposer.Propose(ctx, id, issued, identity.caller(name), ch.payload)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return fsm.Result{}, nil, c.changeFailed(err, id)
	}
	state, err := c.Store.Wait(ctx, result.Index)
	if err != nil {
		return fsm.Result{}, nil, c.changeFailed(err, id)
	}
	return result, state, nil
}

// requestID settles the id of a change and when it was issued, and tells the
// caller. An id that is no UUID of version 7 was issued when it arrived.
func (c *core) requestID(ctx context.Context, given string) (id string, issued int64) {
	now := c.Now()
	id, issued = given, now.UnixMilli()
	if id == "" {
		id = newRequestID(now)
	}
	if at, ok := issuedAt(id); ok {
		issued = at
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs(RequestIDHeader, id)); err != nil {
		c.Logger.Debug("request id could not be sent", "request_id", id, "error", err)
	}
	return id, issued
}
