package admin

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// A message of the size that is allowed is looked at; one byte more is not.
func TestMessageSize(t *testing.T) {
	a := serve(t, func(c *Config) { c.Limits.MaxMessageBytes = 1000 })
	for size, want := range map[int]codes.Code{0: codes.InvalidArgument, 1: codes.ResourceExhausted} {
		request := &pb.RejectDeploymentRequest{Id: strings.Repeat("x", 1000-3+size)} // the field's tag and length take 3 bytes
		_, err := a.deployments.RejectDeployment(t.Context(), request)
		if status.Code(err) != want {
			t.Errorf("%d bytes: %v", 1000+size, err)
		}
	}
}

// As many calls as are allowed run on one connection; one more waits.
func TestConcurrentStreams(t *testing.T) {
	a := serve(t, func(c *Config) { c.Limits.MaxStreams = 2 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 2 {
		stream, err := a.environments.WatchEnvironments(ctx, &pb.WatchEnvironmentsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatalf("watch %d: %v", i, err)
		}
	}
	bounded, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if _, err := a.environments.ListEnvironments(bounded, &pb.ListEnvironmentsRequest{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("one more: %v", err)
	}
	cancel()
	if _, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{}); err != nil {
		t.Errorf("after the others: %v", err)
	}
}

// Headers within the bound are looked at; beyond it the call ends.
func TestHeaderSize(t *testing.T) {
	a := serve(t, func(c *Config) { c.Limits.MaxHeaderBytes = 4 << 10 })
	for size, ok := range map[int]bool{2 << 10: true, 5 << 10: false} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-padding", strings.Repeat("x", size))
		if _, err := a.environments.ListEnvironments(ctx, &pb.ListEnvironmentsRequest{}); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// untilTheEnd answers reads with how long the caller may wait.
type untilTheEnd struct {
	Reader
	left chan time.Duration
}

func (u untilTheEnd) Linearize(ctx context.Context) (*fsm.State, error) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = time.Now().Add(365 * 24 * time.Hour)
	}
	u.left <- time.Until(deadline)
	return u.Reader.Linearize(ctx)
}

// A call that brings no deadline, or a later one, gets the server's.
func TestCallsEnd(t *testing.T) {
	left := make(chan time.Duration, 1)
	a := serve(t, func(c *Config) {
		c.Limits.Call = time.Minute
		c.Reader = untilTheEnd{c.Reader, left}
	})
	patient, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	hasty, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	for name, test := range map[string]struct {
		ctx  context.Context
		most time.Duration
	}{"none": {t.Context(), time.Minute}, "an hour": {patient, time.Minute}, "half a minute": {hasty, 30 * time.Second}} {
		if _, err := a.environments.ListEnvironments(test.ctx, &pb.ListEnvironmentsRequest{}); err != nil {
			t.Fatal(err)
		}
		if got := <-left; got > test.most {
			t.Errorf("%s: %s are left", name, got)
		}
	}
}
