package main

import (
	"slices"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/internal/client"
)

// What the message says of a field already is not said again below it.
func TestViolationsAreSaidOnce(t *testing.T) {
	refused, err := status.New(codes.InvalidArgument, "id is required").WithDetails(&errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "id", Description: "is required"},
			{Field: "reason", Description: "holds a control character"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := violations(&client.Error{Reason: client.ErrRefused, Cause: refused.Err()})
	if !slices.Equal(got, []string{"reason: holds a control character"}) {
		t.Errorf("%q", got)
	}
}
