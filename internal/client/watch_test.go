package client

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

var errEnough = errors.New("enough")

// A watch that breaks on one node resumes on another after the last index that arrived.
func TestWatchResumesWithoutAGap(t *testing.T) {
	const events = 20
	var starts atomic.Int32
	serve := func(request *pb.WatchDeploymentsRequest, stream pb.DeploymentService_WatchDeploymentsServer) error {
		starts.Add(1)
		for i := request.GetAfterIndex() + 1; i <= events; i++ {
			if err := stream.Send(&pb.WatchDeploymentsResponse{Index: i}); err != nil {
				return err
			}
			if i%5 == 0 {
				return status.Error(codes.Unavailable, "shutting down")
			}
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	first, second := startNode(t, &fakeNode{watch: serve}), startNode(t, &fakeNode{watch: serve})
	c := newTestClient(t, Config{Addresses: []string{first.address, second.address}})
	var got []uint64
	err := c.WatchDeployments(withDeadline(t, 5*time.Second), &pb.WatchDeploymentsRequest{}, func(m *pb.WatchDeploymentsResponse) error {
		if got = append(got, m.GetIndex()); len(got) == events {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	want := make([]uint64, events)
	for i := range want {
		want[i] = uint64(i + 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("received %v", got)
	}
	if starts.Load() < 4 {
		t.Errorf("the watch was opened %d times only", starts.Load())
	}
}

func TestWatchEnds(t *testing.T) {
	tests := []struct {
		name   string
		answer error
		reason error
	}{
		{"too old an index is an explicit gap", status.Error(codes.OutOfRange, "begins at 40"), ErrGap},
		{"denied", status.Error(codes.PermissionDenied, "no"), ErrRefused},
		{"not found", status.Error(codes.NotFound, "no such deployment"), ErrRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			node := startNode(t, &fakeNode{watch: func(*pb.WatchDeploymentsRequest, pb.DeploymentService_WatchDeploymentsServer) error {
				return test.answer
			}})
			c := newTestClient(t, Config{Addresses: []string{node.address}})
			err := c.WatchDeployments(withDeadline(t, 5*time.Second), &pb.WatchDeploymentsRequest{AfterIndex: 3}, func(*pb.WatchDeploymentsResponse) error { return nil })
			if !errors.Is(err, test.reason) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWatchOfNothingThatAnswers(t *testing.T) {
	c := newTestClient(t, Config{Addresses: []string{closedPort(t)}, GiveUp: 30 * time.Millisecond})
	err := c.WatchDeployments(withDeadline(t, 5*time.Second), &pb.WatchDeploymentsRequest{}, func(*pb.WatchDeploymentsResponse) error { return nil })
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("%v", err)
	}
}
