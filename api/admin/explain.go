package admin

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm"
)

// readFailed turns an error of a read into what the client is told.
func (c *core) readFailed(err error) error {
	if p := c.recognise(err); p != nil {
		return p
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return c.hint(&problem{failure: Deadline, message: "the read did not finish in time: is there a leader? a read with consistency STALE needs none"})
	case errors.Is(err, context.Canceled):
		return &problem{failure: Cancelled, message: "the call was cancelled"}
	}
	c.Logger.Error("read failed", "error", err)
	return &problem{failure: Internal, message: "the read failed; the server's log says why"}
}

// changeFailed turns an error of a change into what the client is told. What is
// not known to be unexecuted is unknown (I3).
func (c *core) changeFailed(err error, requestID string) error {
	p := c.recognise(err)
	if p == nil || p.failure == UnknownOutcome {
		c.Logger.Warn("outcome of a change is unknown", "request_id", requestID, "error", err)
		p = c.hint(&problem{
			failure: UnknownOutcome,
			message: "the outcome is unknown: retry with the same request id " + requestID,
		})
	}
	return p.with(metaRequestID, requestID)
}

// recognise finds the failure of an error that says what it is, or nil.
func (c *core) recognise(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if refusal := fsm.AsRefusal(err); refusal != nil {
		return &problem{failure: Failure(refusal.Class), reason: refusal.Reason, message: refusal.Message, refusal: refusal}
	}
	failure := c.Classify(err)
	if failure == "" {
		return nil
	}
	message := err.Error()
	if s, ok := status.FromError(err); ok {
		message = s.Message()
	}
	if failure == NoQuorum {
		message = "no quorum: " + strings.TrimPrefix(message, "no quorum: ") +
			"; nothing was changed, reads with consistency STALE and serving go on"
	}
	return c.hint(&problem{failure: failure, message: message})
}

// hint names the leader, if one is known.
func (c *core) hint(p *problem) *problem {
	known := c.Membership.Status()
	return p.with(metaLeaderID, known.LeaderID).with(metaLeaderAddress, known.LeaderAddress)
}
