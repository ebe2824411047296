package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// WatchDeployments calls handle with every message of a watch, in order. When a node goes away it resumes on another
// one after the last index, so that no event is lost and none is repeated. It ends with handle's error, with the
// context's, with an *Error if the watch is refused, or with one that wraps ErrGap if the events to resume with are
// not kept any more.
func (c *Client) WatchDeployments(ctx context.Context, request *pb.WatchDeploymentsRequest, handle func(*pb.WatchDeploymentsResponse) error) error {
	return follow(ctx, c, request.GetAfterIndex(), func(ctx context.Context, after uint64) (receiver[*pb.WatchDeploymentsResponse], error) {
		return c.Deployments().WatchDeployments(ctx, &pb.WatchDeploymentsRequest{
			Id: request.GetId(), Environment: request.GetEnvironment(), AfterIndex: after,
		})
	}, handle)
}

// WatchEnvironments is WatchDeployments for environments.
func (c *Client) WatchEnvironments(ctx context.Context, request *pb.WatchEnvironmentsRequest, handle func(*pb.WatchEnvironmentsResponse) error) error {
	return follow(ctx, c, request.GetAfterIndex(), func(ctx context.Context, after uint64) (receiver[*pb.WatchEnvironmentsResponse], error) {
		return c.Environments().WatchEnvironments(ctx, &pb.WatchEnvironmentsRequest{Name: request.GetName(), AfterIndex: after})
	}, handle)
}

// indexed is a message that says where to resume.
type indexed interface{ GetIndex() uint64 }

type receiver[M indexed] interface{ Recv() (M, error) }

// follow keeps a watch open for as long as the context lives.
func follow[M indexed](ctx context.Context, c *Client, after uint64, open func(context.Context, uint64) (receiver[M], error), handle func(M) error) error {
	heard, broken := false, time.Time{}
	for {
		began := after
		err := receive(ctx, after, open, func(m M) error {
			heard, after = true, max(after, m.GetIndex())
			return handle(m)
		})
		var stop *handlerError
		switch {
		case errors.As(err, &stop):
			return stop.err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if reason := watchEnds(err); reason != nil {
			return &Error{Method: "Watch", Reason: reason, Cause: err}
		}
		if unreached := (*Error)(nil); !heard && errors.As(err, &unreached) {
			return err
		}
		if after != began || broken.IsZero() {
			broken = time.Now()
		}
		c.config.Logger.Debug("watch interrupted", "after_index", after, "error", err)
		if !pause(ctx, time.Since(broken)) {
			return ctx.Err()
		}
	}
}

// receive opens the watch once and hands on what arrives until it breaks.
func receive[M indexed](ctx context.Context, after uint64, open func(context.Context, uint64) (receiver[M], error), handle func(M) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := open(ctx, after)
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := handle(message); err != nil {
			return &handlerError{err}
		}
	}
}

// handlerError keeps what the handler returned apart from what the stream did.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }

// watchEnds returns why a watch cannot go on, nil if it can.
func watchEnds(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return nil
	}
	st, ok := status.FromError(err)
	switch {
	case !ok:
		return nil
	case st.Code() == codes.OutOfRange:
		return ErrGap
	case judge(st.Err()).refused():
		return ErrRefused
	}
	return nil
}
