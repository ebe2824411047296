package client

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// fakeNode is a gRPC server on loopback whose answers a test decides.
type fakeNode struct {
	pb.UnimplementedDeploymentServiceServer
	pb.UnimplementedClusterServiceServer

	address string
	server  *grpc.Server
	approve func(context.Context, *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error)
	list    func(context.Context) (*pb.ListDeploymentsResponse, error)
	watch   func(*pb.WatchDeploymentsRequest, pb.DeploymentService_WatchDeploymentsServer) error

	mu       sync.Mutex
	requests []string // request ids, in order of arrival
	calls    int
}

func startNode(t *testing.T, node *fakeNode) *fakeNode {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	node.address = listener.Addr().String()
	node.server = grpc.NewServer()
	pb.RegisterDeploymentServiceServer(node.server, node)
	pb.RegisterClusterServiceServer(node.server, node)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = node.server.Serve(listener)
	}()
	t.Cleanup(func() {
		node.server.Stop()
		<-served
	})
	return node
}

func (n *fakeNode) note(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	n.requests = append(n.requests, id)
}

func (n *fakeNode) seen() (calls int, ids []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls, append([]string(nil), n.requests...)
}

func (n *fakeNode) ApproveDeployment(ctx context.Context, request *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
	n.note(request.GetRequestId())
	if n.approve != nil {
		return n.approve(ctx, request)
	}
	return &pb.ApproveDeploymentResponse{AppliedIndex: 7}, nil
}

func (n *fakeNode) ListDeployments(ctx context.Context, _ *pb.ListDeploymentsRequest) (*pb.ListDeploymentsResponse, error) {
	n.note("")
	if n.list != nil {
		return n.list(ctx)
	}
	return &pb.ListDeploymentsResponse{AppliedIndex: 7}, nil
}

func (n *fakeNode) WatchDeployments(request *pb.WatchDeploymentsRequest, stream pb.DeploymentService_WatchDeploymentsServer) error {
	return n.watch(request, stream)
}

func (n *fakeNode) TransferLeadership(context.Context, *pb.TransferLeadershipRequest) (*pb.TransferLeadershipResponse, error) {
	n.note("")
	return nil, status.Error(codes.Unavailable, "the connection broke")
}

// answer is a status with an ErrorInfo.
func answer(code codes.Code, reason, message string, metadata map[string]string) error {
	st, err := status.New(code, message).WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "honua", Metadata: metadata})
	if err != nil {
		return err
	}
	return st.Err()
}

func noLeader(leader string) error {
	metadata := map[string]string{"outcome": "not_executed"}
	if leader != "" {
		metadata["leader_address"] = leader
	}
	return answer(codes.Unavailable, "no_leader", "no quorum", metadata)
}

// closedPort is an address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func newTestClient(t *testing.T, config Config) *Client {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func withDeadline(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
