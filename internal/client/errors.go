package client

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The reasons for which a call fails. An Error wraps exactly one of them.
var (
	// ErrRefused: the cluster decided not to do it; the cause is its answer.
	ErrRefused = errors.New("refused")
	// ErrUndecided: the cluster refuses the request and cannot tell what it came to; the cause is its answer.
	ErrUndecided = errors.New("the cluster cannot tell")
	// ErrNoLeader: nodes answer, but none of them has a leader with a quorum.
	ErrNoLeader = errors.New("no leader: the cluster has no quorum")
	// ErrUnreachable: no connection to any node.
	ErrUnreachable = errors.New("no node answers")
	// ErrTimeout: the deadline passed first.
	ErrTimeout = errors.New("timed out")
	// ErrCanceled: the caller gave up.
	ErrCanceled = errors.New("interrupted")
	// ErrFailed: a node answered with a failure of its own.
	ErrFailed = errors.New("the node failed")
	// ErrGap: a watch cannot be resumed where it ended, events in between are lost to it.
	ErrGap = errors.New("the events after this index are not kept any more")
)

// Outcome is what is known of a change that failed.
type Outcome int

const (
	// NotExecuted means that nothing was changed.
	NotExecuted Outcome = iota
	// Unknown means that it may have been executed; repeating it with the same request id finds out.
	Unknown
)

// String is "not executed" or "unknown".
func (o Outcome) String() string {
	if o == Unknown {
		return "unknown"
	}
	return "not executed"
}

// Error is a call that did not succeed. status.FromError returns the cluster's last answer.
type Error struct {
	// Method is the full gRPC method.
	Method string
	// RequestID is the id to repeat a change with; empty for reads.
	RequestID string
	// Outcome is Unknown only for changes.
	Outcome Outcome
	// Reason is one of the sentinels of this package.
	Reason error
	// Cause is the last failure, if there was one.
	Cause error
}

// Error says what happened in one line.
func (e *Error) Error() string {
	var text string
	switch {
	case e.Cause == nil:
		text = e.Reason.Error()
	case errors.Is(e.Reason, ErrRefused), errors.Is(e.Reason, ErrUndecided), errors.Is(e.Reason, ErrNoLeader):
		text = Message(e.Cause)
	default:
		text = fmt.Sprintf("%v: %s", e.Reason, Message(e.Cause))
	}
	if e.Outcome == Unknown {
		return "the outcome is unknown: " + text
	}
	return text
}

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

// GRPCStatus is the status of the cause, so that the status package reads through the error.
func (e *Error) GRPCStatus() *status.Status {
	if st, ok := status.FromError(e.Cause); ok && e.Cause != nil {
		return st
	}
	return status.New(codes.Unavailable, e.Error())
}

// Message returns the text of an error without gRPC's decoration.
func Message(err error) string {
	if err == nil {
		return ""
	}
	var own *Error
	if errors.As(err, &own) {
		return own.Error()
	}
	var answer interface {
		error
		GRPCStatus() *status.Status
	}
	if errors.As(err, &answer) { // something else may be around it, such as the file that was being written
		return strings.ReplaceAll(err.Error(), answer.Error(), answer.GRPCStatus().Message())
	}
	return err.Error()
}

// ReasonOf is the reason that an answer of the API gives, in lower case; empty if it gives none.
func ReasonOf(err error) string {
	st, _ := status.FromError(err)
	return reasonIn(errorInfo(st))
}
