package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestExitCodes(t *testing.T) {
	answered := func(code codes.Code) error {
		return &client.Error{Reason: client.ErrRefused, Cause: status.Error(code, "no")}
	}
	tests := []struct {
		err  error
		want int
	}{
		{nil, exitDone},
		{errors.New("anything"), exitError},
		{errSaid, exitError},
		{errPending, exitPending},
		{fmt.Errorf("%w after 5m", errTimeout), exitTimeout},
		{context.DeadlineExceeded, exitTimeout},
		{context.Canceled, exitError},
		{&client.Error{Reason: client.ErrTimeout}, exitTimeout},
		{&client.Error{Reason: client.ErrNoLeader, Cause: status.Error(codes.Unavailable, "no quorum")}, exitNoLeader},
		{&client.Error{Reason: client.ErrUnreachable}, exitError},
		{&client.Error{Reason: client.ErrCanceled}, exitError},
		{&client.Error{Reason: client.ErrGap, Cause: status.Error(codes.OutOfRange, "gone")}, exitError},
		{&client.Error{Reason: client.ErrFailed, Cause: status.Error(codes.Internal, "bug")}, exitError},
		{&client.Error{Reason: client.ErrTimeout, Outcome: client.Unknown}, exitUnknown},
		{&client.Error{Reason: client.ErrNoLeader, Outcome: client.Unknown}, exitUnknown},
		{&client.Error{Reason: client.ErrCanceled, Outcome: client.Unknown}, exitUnknown},
		{&client.Error{Reason: client.ErrUndecided, Cause: status.Error(codes.InvalidArgument, "too old"), Outcome: client.Unknown}, exitUnknown},
		{fmt.Errorf("wrapped: %w", answered(codes.PermissionDenied)), exitDenied},
		{answered(codes.Unauthenticated), exitDenied},
		{answered(codes.FailedPrecondition), exitError},
		{answered(codes.NotFound), exitError},
		{answered(codes.InvalidArgument), exitError},
		{fmt.Errorf("%w: an address", client.ErrConfig), exitError},
	}
	for _, test := range tests {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: %d, not %d", test.err, got, test.want)
		}
	}
}

// The table is total: every sentinel of the client has a row or a rule, and every gRPC code an exit code.
func TestExitTableIsTotal(t *testing.T) {
	rows := map[string]bool{"ErrRefused": true}
	names := map[error]string{
		client.ErrNoLeader: "ErrNoLeader", client.ErrTimeout: "ErrTimeout", client.ErrUnreachable: "ErrUnreachable",
		client.ErrCanceled: "ErrCanceled", client.ErrFailed: "ErrFailed", client.ErrGap: "ErrGap", client.ErrConfig: "ErrConfig",
		client.ErrUndecided: "ErrUndecided",
	}
	for _, row := range exitRows() {
		rows[names[row.err]] = true
	}
	for _, file := range []string{"errors.go", "config.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "../../internal/client/"+file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range sentinels(parsed) {
			if !rows[name] {
				t.Errorf("client.%s has no exit code", name)
			}
		}
	}
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		if got := refusalCode(code); got < exitDone || got > exitUnknown || (got == exitDone) != (code == codes.OK) {
			t.Errorf("%v: %d", code, got)
		}
	}
}

func sentinels(file *ast.File) []string {
	var names []string
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if strings.HasPrefix(name.Name, "Err") {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

func TestErrorsSayWhatToDo(t *testing.T) {
	unknown := func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		return nil, status.Error(codes.Unknown, "leadership lost")
	}
	noQuorum := func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		return nil, refusal(codes.Unavailable, "NO_QUORUM", "no quorum: no leader is known")
	}
	denied := func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		return nil, refusal(codes.PermissionDenied, "DENIED", "needs the role approver")
	}
	tooOld := func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		return nil, explained(codes.InvalidArgument, "REQUEST_TOO_OLD", "request 0190-mine is older than what is remembered", nil)
	}
	tests := []struct {
		name   string
		answer func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error)
		code   int
		says   []string
	}{
		{"unknown outcome", unknown, exitUnknown, []string{"the outcome is unknown", "--request-id 0190"}},
		{"no quorum", noQuorum, exitNoLeader, []string{"Error: no quorum: no leader is known", "A majority of the voters"}},
		{"too old to tell", tooOld, exitUnknown, []string{"the outcome is unknown: request 0190-mine is older"}},
		{"denied", denied, exitDenied, []string{"needs the role approver"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := &fakeAPI{approve: test.answer}
			got := honua(t, "deployment", "approve", "d", "--timeout", "400ms", "--address", api.serve(t), "--request-id", "0190-mine")
			if got.code != test.code || got.out != "" {
				t.Errorf("exit code %d, printed %q", got.code, got.out)
			}
			for _, text := range test.says {
				if !strings.Contains(got.err, text) {
					t.Errorf("%q does not say %q", got.err, text)
				}
			}
		})
	}
}
