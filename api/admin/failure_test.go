package admin

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// constants returns the values of a file's string constants of one type.
func constants(t *testing.T, file, typeName string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, text)
		}
		return true
	})
	return values
}

// The table has a row for each class of refusal and each failure, and no other.
func TestTableOfFailuresIsTotal(t *testing.T) {
	classes := constants(t, "../../fsm/errors.go", "Class")
	own := constants(t, "failure.go", "Failure")
	if len(classes) < 8 || len(own) < 12 {
		t.Fatalf("found %d classes and %d failures: does the test still read the right files?", len(classes), len(own))
	}
	rows := map[string]bool{}
	for f := range failures {
		rows[string(f)] = true
	}
	for _, name := range append(classes, own...) {
		if !rows[name] {
			t.Errorf("%s has no row", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("the row %s belongs to nothing", name)
	}
	for f, row := range failures {
		if row.code == codes.OK {
			t.Errorf("%s is no error", f)
		}
		if row.code == codes.Unknown && row.notExecuted {
			t.Errorf("%s: UNKNOWN means that the outcome is unknown", f)
		}
	}
}

// What an error says about the outcome is what is known about it (I3).
func TestErrorsOfChanges(t *testing.T) {
	tests := []struct {
		name     string
		err      error
		code     codes.Code
		reason   string
		executed bool
		message  string
	}{
		{"no leader", errNoLeader, codes.Unavailable, "NO_QUORUM", false, "no quorum: no leader was found"},
		{"overloaded", errOverloaded, codes.ResourceExhausted, "OVERLOADED", false, "in flight"},
		{"leadership lost", errMaybe, codes.Unknown, "UNKNOWN_OUTCOME", true, "retry with the same request id r1"},
		{"deadline", context.DeadlineExceeded, codes.Unknown, "UNKNOWN_OUTCOME", true, "retry with the same request id r1"},
		{"unforeseen", errUnheardOf, codes.Unknown, "UNKNOWN_OUTCOME", true, "retry with the same request id r1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t)
			a.node.failWith(tt.err)
			_, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{RequestId: "r1", Environment: "production"})
			got := wantCode(t, err, tt.code, tt.reason)
			if known := got.metadata["outcome"] == "not_executed"; known == tt.executed {
				t.Errorf("outcome %q", got.metadata["outcome"])
			}
			if got.metadata["request_id"] != "r1" || got.metadata["leader_address"] != "127.0.0.1:7700" {
				t.Errorf("metadata %v", got.metadata)
			}
			if !strings.Contains(got.message, tt.message) {
				t.Errorf("message %q", got.message)
			}
		})
	}
}

// A refusal that is not the request's answer does not say that it was never executed: it may be too old to tell, or a
// copy of it may come again when its time has come (I3).
func TestRefusalsThatLeaveTheOutcomeOpen(t *testing.T) {
	for reason, notExecuted := range map[string]bool{"wrong_state": true, "request_id_reused": true, fsm.ReasonTooOld: false, fsm.ReasonFromFuture: false} {
		a := serve(t)
		a.node.failWith(&fsm.Refusal{Class: fsm.ClassInvalid, Reason: reason, Message: "no"})
		_, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{RequestId: "r1", Environment: "production"})
		got := wantCode(t, err, codes.InvalidArgument, strings.ToUpper(reason))
		if (got.metadata["outcome"] == "not_executed") != notExecuted || (got.metadata["decided"] == "true") != notExecuted || got.metadata["request_id"] != "r1" {
			t.Errorf("%s: metadata %v", reason, got.metadata)
		}
	}
}

func TestErrorsOfReads(t *testing.T) {
	tests := []struct {
		err    error
		code   codes.Code
		reason string
	}{
		{errNoLeader, codes.Unavailable, "NO_QUORUM"},
		{context.DeadlineExceeded, codes.DeadlineExceeded, "DEADLINE_EXCEEDED"},
		{context.Canceled, codes.Canceled, "CANCELLED"},
		{errUnheardOf, codes.Internal, "INTERNAL"},
	}
	a := serve(t)
	for _, tt := range tests {
		a.node.failWith(tt.err)
		_, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{})
		wantCode(t, err, tt.code, tt.reason)
		if _, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{Consistency: pb.Consistency_CONSISTENCY_STALE}); err != nil {
			t.Errorf("a stale read needs no leader: %v", err)
		}
	}
	if strings.Contains(a.log.String(), "level=ERROR") == false {
		t.Error("an unforeseen error is not in the log")
	}
}
