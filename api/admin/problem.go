package admin

import (
	"maps"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/honua-io/honua-gitops/fsm"
)

// errorDomain is the domain of every ErrorInfo.
const errorDomain = "gitops.honua.io"

// Keys of an ErrorInfo's metadata. decided says that the state machine refused the request: every call under its request id
// comes to that. Without it a refusal is of this call, and an earlier one may have been executed.
const (
	metaOutcome       = "outcome"
	metaDecided       = "decided"
	metaRequestID     = "request_id"
	metaLeaderID      = "leader_id"
	metaLeaderAddress = "leader_address"
	metaNearest       = "nearest"

	outcomeNotExecuted = "not_executed"
)

// problem is an error with all that a client is told about it.
type problem struct {
	failure Failure
	// reason is a stable code in lower case; empty: the failure's own name.
	reason     string
	message    string
	violations []*errdetails.BadRequest_FieldViolation
	metadata   map[string]string
	// refusal is the state machine's, if it is one: of the request, and not of this call alone.
	refusal *fsm.Refusal
}

// Error returns the message.
func (p *problem) Error() string { return p.message }

// GRPCStatus is how grpc-go turns the error into a status.
func (p *problem) GRPCStatus() *status.Status {
	row, known := failures[p.failure]
	if !known {
		row = verdict{code: codes.Internal}
	}
	metadata := maps.Clone(p.metadata)
	if metadata == nil {
		metadata = map[string]string{}
	}
	if row.notExecuted && (p.refusal == nil || p.refusal.Answers()) {
		metadata[metaOutcome] = outcomeNotExecuted
	}
	if p.refusal != nil && p.refusal.Answers() {
		metadata[metaDecided] = "true"
	}
	reason := p.reason
	if reason == "" {
		reason = string(p.failure)
	}
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: strings.ToUpper(reason), Domain: errorDomain, Metadata: metadata},
	}
	if len(p.violations) > 0 {
		details = append(details, &errdetails.BadRequest{FieldViolations: p.violations})
	}
	plain := status.New(row.code, p.message)
	detailed, err := plain.WithDetails(details...)
	if err != nil {
		return plain
	}
	return detailed
}

// with returns the problem with one more entry of metadata; empty values are left out.
func (p *problem) with(key, value string) *problem {
	if value == "" {
		return p
	}
	altered := *p
	altered.metadata = maps.Clone(p.metadata)
	if altered.metadata == nil {
		altered.metadata = map[string]string{}
	}
	altered.metadata[key] = value
	return &altered
}
