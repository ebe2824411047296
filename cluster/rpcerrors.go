package cluster

import (
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What the details of an error between nodes are called.
const (
	errorDomain      = "cluster.honua.io"
	outcomeKey       = "outcome"
	outcomeNone      = "not_executed"
	leaderIDKey      = "leader_id"
	leaderAddressKey = "leader_grpc_address"
)

// refusals are the errors that mean "not executed", as they travel between
// nodes. Their reasons are part of the protocol.
var refusals = [...]struct {
	err    error
	reason string
	code   codes.Code
}{
	{ErrNotLeader, "NOT_LEADER", codes.FailedPrecondition},
	{ErrNoLeader, "NO_LEADER", codes.Unavailable},
	{ErrOverloaded, "OVERLOADED", codes.ResourceExhausted},
	{ErrTooLarge, "TOO_LARGE", codes.InvalidArgument},
	{ErrUnapplicable, "UNAPPLICABLE", codes.InvalidArgument},
	{ErrStopping, "STOPPING", codes.Unavailable},
	{ErrUnknownNode, "UNKNOWN_NODE", codes.NotFound},
	{ErrLastVoter, "LAST_VOTER", codes.FailedPrecondition},
	{ErrWouldLoseQuorum, "WOULD_LOSE_QUORUM", codes.FailedPrecondition},
	{ErrNotVoter, "NOT_VOTER", codes.FailedPrecondition},
	{ErrForeignCluster, "FOREIGN_CLUSTER", codes.FailedPrecondition},
	{ErrAddressInUse, "ADDRESS_IN_USE", codes.AlreadyExists},
	{ErrFormat, "FORMAT", codes.FailedPrecondition},
	{ErrHalted, "HALTED", codes.Unavailable},
	{ErrDenied, "DENIED", codes.PermissionDenied},
	{ErrNoKeyring, "NO_KEYRING", codes.FailedPrecondition},
	{ErrBadKey, "BAD_KEY", codes.InvalidArgument},
	{ErrUnknownKey, "UNKNOWN_KEY", codes.NotFound},
	{ErrKeyInUse, "KEY_IN_USE", codes.FailedPrecondition},
}

// rpcError makes the status of an error for a peer.
func (n *Node) rpcError(err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrUnknownOutcome) {
		for _, row := range refusals {
			if errors.Is(err, row.err) {
				return n.refusalStatus(row.code, row.reason, err)
			}
		}
	}
	return status.Error(codes.Unknown, err.Error())
}

func (n *Node) refusalStatus(code codes.Code, reason string, err error) error {
	details := map[string]string{outcomeKey: outcomeNone}
	if id, _ := n.leader(); id != "" {
		details[leaderIDKey] = id
		details[leaderAddressKey] = n.grpcAddress(id)
	}
	s, detailErr := status.New(code, err.Error()).WithDetails(&errdetails.ErrorInfo{
		Reason: reason, Domain: errorDomain, Metadata: details,
	})
	if detailErr != nil {
		return status.Error(codes.Internal, errors.Join(err, detailErr).Error())
	}
	return s.Err()
}

// peerError is what a call to a peer failed with. Whether anything was executed
// is known if the peer says so, or if the call never left.
func peerError(err error, sent bool) error {
	if info := errorInfo(err); info != nil {
		for _, row := range refusals {
			if info.GetReason() == row.reason {
				return fmt.Errorf("%w: %s", row.err, status.Convert(err).Message())
			}
		}
	}
	if !sent {
		return fmt.Errorf("%w: the leader is not reachable: %w", ErrNoLeader, err)
	}
	return executedMaybe(err)
}

// errorInfo returns the details of a peer's refusal, or nil.
func errorInfo(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if ok && info.GetDomain() == errorDomain && info.GetMetadata()[outcomeKey] == outcomeNone {
			return info
		}
	}
	return nil
}
