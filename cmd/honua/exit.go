package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/internal/client"
)

// The exit codes. Scripts rely on them.
const (
	exitDone     = 0
	exitError    = 1
	exitPending  = 2
	exitTimeout  = 3
	exitDenied   = 4
	exitNoLeader = 5
	exitUnknown  = 6
)

// Errors of the command line itself.
var (
	// errPending: there are changes or an approval is pending. What there is to say has been printed.
	errPending = errors.New("pending")
	// errSaid: the command failed, and what there is to say has been printed.
	errSaid = errors.New("failed")
	// errTimeout: the outcome that a command waits for did not come in time.
	errTimeout = errors.New("timed out")
)

// exitRow pairs an error with its exit code.
type exitRow struct {
	err  error
	code int
}

// exitRows are the errors that decide the exit code by themselves; the first that matches counts. What is not in the
// table exits with 1.
func exitRows() []exitRow {
	return []exitRow{
		{errPending, exitPending},
		{client.ErrNoLeader, exitNoLeader},
		{client.ErrUndecided, exitUnknown},
		{errTimeout, exitTimeout},
		{client.ErrTimeout, exitTimeout},
		{context.DeadlineExceeded, exitTimeout},
		{client.ErrUnreachable, exitError},
		{client.ErrCanceled, exitError},
		{client.ErrFailed, exitError},
		{client.ErrGap, exitError},
		{client.ErrConfig, exitError},
		{errSaid, exitError},
		{context.Canceled, exitError},
	}
}

// exitCode is the one table from errors to exit codes. An unknown outcome comes before anything else that is known.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	var failure *client.Error
	if errors.As(err, &failure) {
		if failure.Outcome == client.Unknown {
			return exitUnknown
		}
		if errors.Is(failure.Reason, client.ErrRefused) {
			return refusalCode(failure.GRPCStatus().Code())
		}
	}
	for _, row := range exitRows() {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	if st, ok := status.FromError(err); ok {
		return refusalCode(st.Code())
	}
	return exitError
}

// refusalCode is the exit code of a cluster's answer.
func refusalCode(code codes.Code) int {
	switch code {
	case codes.OK:
		return exitDone
	case codes.PermissionDenied, codes.Unauthenticated:
		return exitDenied
	case codes.DeadlineExceeded:
		return exitTimeout
	case codes.Unavailable:
		return exitNoLeader
	case codes.Unknown:
		return exitUnknown
	}
	return exitError
}

// usageError is a command line that cannot be understood.
type usageError struct {
	command *cobra.Command
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// report says on stderr what went wrong and what to do about it.
func (s *session) report(err error) {
	if err == nil || errors.Is(err, errPending) || errors.Is(err, errSaid) {
		return
	}
	fmt.Fprintf(s.err, "Error: %s\n", client.Message(err))
	for _, hint := range hints(err, s.flags.address) {
		fmt.Fprintf(s.err, "%s\n", hint)
	}
}

// hints are the next steps after an error.
func hints(err error, address string) []string {
	var usage *usageError
	if errors.As(err, &usage) {
		return []string{fmt.Sprintf("See '%s --help'.", usage.command.CommandPath())}
	}
	var failure *client.Error
	if !errors.As(err, &failure) {
		return nil
	}
	var lines []string
	for _, violation := range violations(failure) {
		lines = append(lines, "  "+violation)
	}
	switch {
	case errors.Is(err, client.ErrUndecided):
		// Asking again would not tell; the message says what to do.
	case failure.Outcome == client.Unknown && failure.RequestID != "":
		lines = append(lines, "Run the same command again with --request-id "+failure.RequestID+" to learn the outcome; it is executed at most once.")
	case errors.Is(err, client.ErrUnreachable):
		lines = append(lines, fmt.Sprintf("Tried %s. Is a node running there? Name others with --address or %s; 'honua dev' starts a cluster here.",
			address, envAddress))
	case errors.Is(err, client.ErrNoLeader):
		lines = append(lines, "A majority of the voters has to run and reach each other; 'honua status --stale' shows what a node knows.")
	}
	return lines
}
