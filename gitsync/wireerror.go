package gitsync

import (
	"context"
	"errors"
	"fmt"
)

const (
	codeCanceled = "canceled"
	maxErrorText = 4 << 10
)

// packError keeps an error's identity and text.
func packError(err error) *wireError {
	text := err.Error()
	wire := &wireError{Code: Code(err), Text: text[:min(len(text), maxErrorText)]}
	if errors.Is(err, context.Canceled) {
		wire.Code = codeCanceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		wire.Code = Code(ErrTimeout)
	}
	var rejected *RejectedTreeError
	if errors.As(err, &rejected) {
		wire.Path, wire.Reason = rejected.Path, rejected.Reason
	}
	return wire
}

// unpack restores the error, so that errors.Is and errors.As work as if it were made here.
func (w *wireError) unpack() error {
	if w.Path != "" && w.Code == Code(ErrRejectedTree) {
		return &RejectedTreeError{Path: w.Path, Reason: w.Reason}
	}
	if w.Code == codeCanceled {
		return context.Canceled
	}
	for _, sentinel := range sentinels() {
		if Code(sentinel) == w.Code {
			return &workerError{text: w.Text, sentinel: sentinel}
		}
	}
	return fmt.Errorf("%w: %s", ErrWorker, w.Text)
}

// workerError is an error that was made in the child.
type workerError struct {
	text     string
	sentinel error
}

func (e *workerError) Error() string { return e.text }
func (e *workerError) Unwrap() error { return e.sentinel }
