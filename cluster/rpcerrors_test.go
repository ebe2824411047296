package cluster

import (
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm"
)

// Whatever one node refuses, another one understands, and certainty is neither
// lost nor made up on the way.
func TestErrorsTravel(t *testing.T) {
	cfg := validConfig()
	n := &Node{cfg: cfg, store: fsm.NewStore(fsm.New())}
	for _, row := range refusals {
		got := peerError(n.rpcError(fmt.Errorf("%w: details", row.err)), true)
		if !errors.Is(got, row.err) || !NotExecuted(got) {
			t.Errorf("%v became %v", row.err, got)
		}
	}
	for _, err := range []error{
		executedMaybe(errors.New("leadership lost")),
		executedMaybe(ErrNotLeader),
		errors.New("something else"),
	} {
		if got := peerError(n.rpcError(err), true); !errors.Is(got, ErrUnknownOutcome) || NotExecuted(got) {
			t.Errorf("%v became %v", err, got)
		}
	}
	refused := status.Error(codes.Unavailable, "connection refused")
	if got := peerError(refused, false); !NotExecuted(got) || !errors.Is(got, ErrNoLeader) {
		t.Errorf("a call that never left: %v", got)
	}
	if got := peerError(refused, true); !errors.Is(got, ErrUnknownOutcome) {
		t.Errorf("a call that left: %v", got)
	}
}

func TestNotExecuted(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{ErrUnknownOutcome, false},
		{errors.New("anything"), false},
		{fmt.Errorf("wrapped: %w", ErrNoLeader), true},
		{errors.Join(ErrNotLeader, executedMaybe(errors.New("earlier"))), false},
	} {
		if got := NotExecuted(test.err); got != test.want {
			t.Errorf("%v: %v", test.err, got)
		}
	}
}
