package admin

import (
	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/fsm"
)

// Failure is why a call does not succeed. Each has one row in the table of failures.
type Failure string

// The refusals of the state machine, and what is refused in the same way before
// it gets there.
const (
	Invalid      = Failure(fsm.ClassInvalid)
	NotFound     = Failure(fsm.ClassNotFound)
	Precondition = Failure(fsm.ClassPrecondition)
	Aborted      = Failure(fsm.ClassAborted)
	Denied       = Failure(fsm.ClassDenied)
	Exhausted    = Failure(fsm.ClassExhausted)
	OutOfRange   = Failure(fsm.ClassOutOfRange)
	Exists       = Failure(fsm.ClassExists)
)

// What can go wrong on the way to the state machine; Config.Classify answers with these.
const (
	// NoQuorum: there is no leader, or it has no majority.
	NoQuorum Failure = "no_quorum"
	// Overloaded: the leader takes no more at the moment.
	Overloaded Failure = "overloaded"
	// TooLarge: the command does not fit into a log entry.
	TooLarge Failure = "too_large"
	// UnknownOutcome: it may have been executed.
	UnknownOutcome Failure = "unknown_outcome"
	// UnknownNode: no such node in the raft configuration.
	UnknownNode Failure = "unknown_node"
	// MembershipRefused: the raft configuration does not allow it, such as removing the last voter.
	MembershipRefused Failure = "membership_refused"
	// Unapplicable: the leader tried the command, and no node could have applied it.
	Unapplicable Failure = "unapplicable"
	// Halted: this node applies nothing any more.
	Halted Failure = "halted"
)

// What the server itself decides.
const (
	Unauthenticated Failure = "unauthenticated"
	// Draining: this node stops; another one answers.
	Draining  Failure = "draining"
	Deadline  Failure = "deadline_exceeded"
	Cancelled Failure = "cancelled"
	Internal  Failure = "internal"
)

// verdict is one row of the table of failures.
type verdict struct {
	code codes.Code
	// notExecuted: it is certain that nothing was changed (I3).
	notExecuted bool
}

// failures is the one table from what went wrong to what a client is told.
var failures = map[Failure]verdict{
	Invalid:      {codes.InvalidArgument, true},
	NotFound:     {codes.NotFound, true},
	Precondition: {codes.FailedPrecondition, true},
	Aborted:      {codes.Aborted, true},
	Denied:       {codes.PermissionDenied, true},
	Exhausted:    {codes.ResourceExhausted, true},
	OutOfRange:   {codes.OutOfRange, true},
	Exists:       {codes.AlreadyExists, true},

	NoQuorum:          {codes.Unavailable, true},
	Overloaded:        {codes.ResourceExhausted, true},
	TooLarge:          {codes.InvalidArgument, true},
	UnknownOutcome:    {codes.Unknown, false},
	UnknownNode:       {codes.NotFound, true},
	MembershipRefused: {codes.FailedPrecondition, true},
	Unapplicable:      {codes.Internal, true},
	Halted:            {codes.Unavailable, true},

	Unauthenticated: {codes.Unauthenticated, true},
	Draining:        {codes.Unavailable, true},
	Deadline:        {codes.DeadlineExceeded, false},
	Cancelled:       {codes.Canceled, false},
	Internal:        {codes.Internal, false},
}
