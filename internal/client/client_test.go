package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestStaysWithTheNodeThatAnswers(t *testing.T) {
	first, second := startNode(t, &fakeNode{}), startNode(t, &fakeNode{})
	c := newTestClient(t, Config{Addresses: []string{closedPort(t), first.address, second.address}})
	for range 5 {
		if _, err := c.Deployments().ListDeployments(withDeadline(t, 5*time.Second), &pb.ListDeploymentsRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if calls, _ := first.seen(); calls != 5 {
		t.Errorf("the first node that answers got %d of 5 calls", calls)
	}
	if calls, _ := second.seen(); calls != 0 {
		t.Errorf("the second node got %d calls", calls)
	}
}

func TestGoesOnWhenItsNodeIsKilled(t *testing.T) {
	first, second := startNode(t, &fakeNode{}), startNode(t, &fakeNode{})
	c := newTestClient(t, Config{Addresses: []string{first.address, second.address}})
	approve := func() error {
		_, err := c.Deployments().ApproveDeployment(withDeadline(t, 5*time.Second), &pb.ApproveDeploymentRequest{Id: "d"})
		return err
	}
	if err := approve(); err != nil {
		t.Fatal(err)
	}
	first.server.Stop()
	if err := approve(); err != nil {
		t.Fatal(err)
	}
	if calls, _ := second.seen(); calls != 1 {
		t.Errorf("the second node got %d calls", calls)
	}
}

// I3: an unknown outcome is asked for again under the same request id.
func TestRepeatsUnknownOutcomesUnderTheSameID(t *testing.T) {
	var failures atomic.Int32
	flaky := func(context.Context, *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		if failures.Add(1) <= 3 {
			return nil, status.Error(codes.Unknown, "leadership lost; retry with the same request id")
		}
		return &pb.ApproveDeploymentResponse{}, nil
	}
	first, second := startNode(t, &fakeNode{approve: flaky}), startNode(t, &fakeNode{approve: flaky})
	c := newTestClient(t, Config{Addresses: []string{first.address, second.address}})
	request := &pb.ApproveDeploymentRequest{Id: "d"}
	if _, err := c.Deployments().ApproveDeployment(withDeadline(t, 5*time.Second), request); err != nil {
		t.Fatal(err)
	}
	_, ids := first.seen()
	_, more := second.seen()
	ids = append(ids, more...)
	if len(ids) != 4 {
		t.Fatalf("%d attempts, not 4", len(ids))
	}
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Errorf("request ids differ: %q", ids)
		}
	}
	if request.GetRequestId() != "" {
		t.Error("the caller's message was changed")
	}
}

func TestOutcomes(t *testing.T) {
	unknown := status.Error(codes.Unknown, "leadership lost")
	refused := answer(codes.FailedPrecondition, "wrong_state", "it is Completed", map[string]string{"outcome": "not_executed", "decided": "true"})
	revoked := answer(codes.Unauthenticated, "unauthenticated", "the token is revoked", map[string]string{"outcome": "not_executed"})
	tooOld := answer(codes.InvalidArgument, "request_too_old", "request id-1 is older than what is remembered", nil)
	tests := []struct {
		name    string
		answers []error
		reason  error
		outcome Outcome
		text    string
	}{
		{"refused", []error{refused}, ErrRefused, NotExecuted, "it is Completed"},
		{"refused after unknown is the first attempt's answer", []error{unknown, refused}, ErrRefused, NotExecuted, "it is Completed"},
		{"too old to tell", []error{tooOld}, ErrUndecided, Unknown, "the outcome is unknown: request id-1 is older"},
		{"too old to tell after unknown", []error{unknown, tooOld}, ErrUndecided, Unknown, "is older"},
		{"refused on the way", []error{revoked}, ErrRefused, NotExecuted, "the token is revoked"},
		{"refused on the way after unknown stays unknown", []error{unknown, revoked}, ErrRefused, Unknown, "the token is revoked"},
		{"denied", []error{status.Error(codes.PermissionDenied, "needs admin")}, ErrRefused, NotExecuted, "needs admin"},
		{"no quorum", []error{noLeader("")}, ErrNoLeader, NotExecuted, "no quorum"},
		{"no quorum after unknown stays unknown", []error{unknown, noLeader("")}, ErrTimeout, Unknown, "unknown"},
		{"unknown", []error{unknown}, ErrTimeout, Unknown, "the outcome is unknown"},
		{"broken", []error{status.Error(codes.Internal, "a bug")}, ErrFailed, Unknown, "a bug"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var count atomic.Int32
			node := startNode(t, &fakeNode{approve: func(context.Context, *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
				i := min(int(count.Add(1)), len(test.answers)) - 1
				return nil, test.answers[i]
			}})
			c := newTestClient(t, Config{Addresses: []string{node.address}})
			_, err := c.Deployments().ApproveDeployment(withDeadline(t, 300*time.Millisecond), &pb.ApproveDeploymentRequest{RequestId: "id-1"})
			var failure *Error
			if !errors.As(err, &failure) {
				t.Fatalf("%T is not an *Error", err)
			}
			if !errors.Is(err, test.reason) || failure.Outcome != test.outcome || failure.RequestID != "id-1" {
				t.Errorf("%v, outcome %v, id %q", failure.Reason, failure.Outcome, failure.RequestID)
			}
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q does not say %q", err, test.text)
			}
		})
	}
}

func TestChangesWithoutAnIDAreNotRepeated(t *testing.T) {
	node := startNode(t, &fakeNode{})
	c := newTestClient(t, Config{Addresses: []string{node.address}})
	_, err := c.Cluster().TransferLeadership(withDeadline(t, 5*time.Second), &pb.TransferLeadershipRequest{})
	var failure *Error
	if !errors.As(err, &failure) || failure.Outcome != Unknown {
		t.Fatalf("%v", err)
	}
	if calls, _ := node.seen(); calls != 1 {
		t.Errorf("%d attempts", calls)
	}
}

func TestFollowsTheLeaderHint(t *testing.T) {
	leader := startNode(t, &fakeNode{})
	follower := startNode(t, &fakeNode{approve: func(context.Context, *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		return nil, noLeader(leader.address)
	}})
	c := newTestClient(t, Config{Addresses: []string{follower.address}})
	if _, err := c.Deployments().ApproveDeployment(withDeadline(t, 5*time.Second), &pb.ApproveDeploymentRequest{}); err != nil {
		t.Fatal(err)
	}
	if calls, _ := leader.seen(); calls != 1 {
		t.Errorf("the leader got %d calls", calls)
	}
}

func TestGivesUpWhenNoNodeAnswers(t *testing.T) {
	c := newTestClient(t, Config{Addresses: []string{closedPort(t), closedPort(t)}, GiveUp: 50 * time.Millisecond})
	_, err := c.Deployments().ApproveDeployment(withDeadline(t, 10*time.Second), &pb.ApproveDeploymentRequest{})
	var failure *Error
	if !errors.Is(err, ErrUnreachable) || !errors.As(err, &failure) || failure.Outcome != NotExecuted {
		t.Fatalf("%v", err)
	}
}

// A node that accepts connections and says nothing must not hold up a call: another one is asked.
func TestPassesOverASilentNode(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	silent := startNode(t, &fakeNode{list: func(ctx context.Context) (*pb.ListDeploymentsResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	healthy := startNode(t, &fakeNode{})
	c := newTestClient(t, Config{
		Addresses:      []string{deaf.Addr().String(), silent.address, healthy.address},
		ConnectTimeout: 100 * time.Millisecond, AttemptTimeout: 100 * time.Millisecond,
	})
	if _, err := c.Deployments().ListDeployments(withDeadline(t, 5*time.Second), &pb.ListDeploymentsRequest{}); err != nil {
		t.Fatal(err)
	}
}

func TestCanceledByTheCaller(t *testing.T) {
	entered := make(chan struct{})
	node := startNode(t, &fakeNode{approve: func(ctx context.Context, _ *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	c := newTestClient(t, Config{Addresses: []string{node.address}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	_, err := c.Deployments().ApproveDeployment(ctx, &pb.ApproveDeploymentRequest{})
	var failure *Error
	if !errors.Is(err, ErrCanceled) || !errors.As(err, &failure) || failure.Outcome != Unknown {
		t.Fatalf("%v", err)
	}
}

// What a person reads is what the cluster said, without gRPC's words around it, whatever wraps it.
func TestMessage(t *testing.T) {
	denied := status.Error(codes.PermissionDenied, "this needs the role admin")
	for err, want := range map[error]string{
		nil: "", denied: "this needs the role admin", fmt.Errorf("writing backup.snap: %w", denied): "writing backup.snap: this needs the role admin",
		errors.New("plain"): "plain", &Error{Reason: ErrRefused, Cause: denied}: "this needs the role admin",
	} {
		if got := Message(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// A read has no outcome: an answer that says nothing of one is a refusal of it, and ends a watch.
func TestReadsHaveNoOutcome(t *testing.T) {
	refused := answer(codes.InvalidArgument, "bad_filter", "no such filter", nil)
	node := startNode(t, &fakeNode{
		list: func(context.Context) (*pb.ListDeploymentsResponse, error) { return nil, refused },
	})
	c := newTestClient(t, Config{Addresses: []string{node.address}})
	_, err := c.Deployments().ListDeployments(withDeadline(t, 5*time.Second), &pb.ListDeploymentsRequest{})
	var failure *Error
	if !errors.As(err, &failure) || !errors.Is(err, ErrRefused) || failure.Outcome != NotExecuted {
		t.Errorf("of a read: %v", err)
	}
	if judged := judge(refused); judged != open || !judged.refused() {
		t.Errorf("it is judged %v", judged)
	}
}
