package fsm

import (
	"errors"
	"fmt"
)

// Class is why a command was refused. It is stable: callers and remembered
// results rely on its spelling.
type Class string

// The classes of refusals; each maps to one gRPC code and one exit code.
const (
	ClassInvalid      Class = "invalid_argument"
	ClassNotFound     Class = "not_found"
	ClassPrecondition Class = "failed_precondition"
	ClassAborted      Class = "aborted"
	ClassDenied       Class = "permission_denied"
	ClassExhausted    Class = "resource_exhausted"
	ClassOutOfRange   Class = "out_of_range"
	ClassExists       Class = "already_exists"
)

// Refusal is a command that the state machine decided not to execute. Nothing
// but the memory of the request changed.
type Refusal struct {
	Class Class
	// Reason is a stable code, such as wrong_state.
	Reason string
	// Message says what is wrong and what to do, for a person.
	Message string
}

// Error returns the message.
func (r *Refusal) Error() string { return r.Message }

// Reasons of refusals that are not the request's answer.
const (
	// ReasonTooOld: it may have been executed, and forgotten since.
	ReasonTooOld = "request_too_old"
	// ReasonFromFuture: a copy of it that comes again later is executed.
	ReasonFromFuture = "request_from_future"
)

// Answers reports whether the refusal is what the request came to, for good: it
// is not executed, and was not before (I3).
func (r *Refusal) Answers() bool { return r.Reason != ReasonTooOld && r.Reason != ReasonFromFuture }

func refuse(class Class, reason, format string, args ...any) error {
	return &Refusal{Class: class, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// AsRefusal returns the refusal in an error's chain, or nil.
func AsRefusal(err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return nil
}

// FatalError is an entry that this node must not skip: applying anything after
// it would make it differ from the others. The node halts.
type FatalError struct {
	Index  uint64
	Reason string
}

// Error names the index and the reason, as an operator needs them for a repair.
func (e *FatalError) Error() string {
	return fmt.Sprintf("log entry %d cannot be applied: %s", e.Index, e.Reason)
}

// Errors of reading a snapshot.
var (
	ErrSnapshotDamaged = errors.New("the snapshot is damaged")
	ErrSnapshotFormat  = errors.New("the snapshot's format is not known")
)
