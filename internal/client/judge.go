package client

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// verdict is what an answer means for going on.
type verdict int

const (
	// final: the answer would be the same everywhere, and is of this attempt.
	final verdict = iota
	// decided: it is the request's, and so that of every attempt: the state machine remembers request ids.
	decided
	// elsewhere: it was not executed, and another node or moment may execute it.
	elsewhere
	// unclear: it may have been executed.
	unclear
	// broken: it may have been executed, and asking again would not tell.
	broken
	// open: the cluster refuses the request and does not say that it was never executed: it may be too old to tell.
	open
)

// refused reports whether the cluster refused, which ends a call.
func (v verdict) refused() bool { return v == final || v == decided || v == open }

// judge reads an answer. Only an ErrorInfo with outcome=not_executed proves that nothing was changed; without any,
// codes that are decided before anything is proposed are final.
func judge(err error) verdict {
	st, _ := status.FromError(err)
	info := errorInfo(st)
	notExecuted := info.GetMetadata()["outcome"] == "not_executed"
	switch st.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown:
		if notExecuted {
			return elsewhere
		}
		return unclear
	case codes.Internal, codes.DataLoss:
		if notExecuted {
			return final
		}
		return broken
	case codes.ResourceExhausted:
		if notExecuted && reasonIn(info) == "overloaded" {
			return elsewhere
		}
	case codes.FailedPrecondition, codes.Aborted:
		if notExecuted && reasonIn(info) == "not_leader" {
			return elsewhere
		}
	}
	switch {
	case info != nil && !notExecuted:
		return open
	case info.GetMetadata()["decided"] == "true":
		return decided
	}
	return final
}

// errorInfo returns the status's ErrorInfo, nil if it has none.
func errorInfo(st *status.Status) *errdetails.ErrorInfo {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// reasonIn is the reason of an ErrorInfo, in lower case; empty if there is none.
func reasonIn(info *errdetails.ErrorInfo) string { return strings.ToLower(info.GetReason()) }

// leaderHint is the address of the leader that an answer names; empty if it names none.
func leaderHint(err error) string {
	st, _ := status.FromError(err)
	metadata := errorInfo(st).GetMetadata()
	for _, key := range []string{"leader_address", "leader_grpc_address", "leader"} {
		if metadata[key] != "" {
			return metadata[key]
		}
	}
	return ""
}
