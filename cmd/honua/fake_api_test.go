package main

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// fakeAPI is a node's API whose answers a test decides.
type fakeAPI struct {
	pb.UnimplementedDeploymentServiceServer
	pb.UnimplementedEnvironmentServiceServer
	pb.UnimplementedClusterServiceServer
	pb.UnimplementedAuditServiceServer

	deployments  []*pb.Deployment
	environments []*pb.Environment
	status       *pb.GetStatusResponse
	// watched are sent to every watch of an environment, one after another.
	watched []*pb.WatchEnvironmentsResponse
	// followed are sent to every watch of deployments.
	followed []*pb.WatchDeploymentsResponse
	approve  func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error)
	// more registers further services. May be nil.
	more   func(*grpc.Server)
	remove func(*pb.RemoveServerRequest) (*pb.RemoveServerResponse, error)
	// restore gets the request id and the whole file of each restore.
	restore func(id, file string) (*pb.RestoreSnapshotResponse, error)
}

// serve runs the API on loopback and returns its address.
func (f *fakeAPI) serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	f.register(server)
	if f.more != nil {
		f.more(server)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	return listener.Addr().String()
}

func (f *fakeAPI) register(server *grpc.Server) {
	pb.RegisterDeploymentServiceServer(server, f)
	pb.RegisterEnvironmentServiceServer(server, f)
	pb.RegisterClusterServiceServer(server, f)
	pb.RegisterAuditServiceServer(server, f)
}

func (f *fakeAPI) ListDeployments(_ context.Context, r *pb.ListDeploymentsRequest) (*pb.ListDeploymentsResponse, error) {
	var list []*pb.Deployment
	for _, d := range f.deployments {
		if r.GetEnvironment() == "" || d.GetEnvironment() == r.GetEnvironment() {
			list = append(list, d)
		}
	}
	return &pb.ListDeploymentsResponse{Deployments: list, AppliedIndex: 42}, nil
}

func (f *fakeAPI) GetDeployment(_ context.Context, r *pb.GetDeploymentRequest) (*pb.GetDeploymentResponse, error) {
	for _, d := range f.deployments {
		if d.GetId() == r.GetId() {
			return &pb.GetDeploymentResponse{Deployment: d, AppliedIndex: 42}, nil
		}
	}
	return nil, refusal(codes.NotFound, "not_found", "there is no deployment "+r.GetId())
}

func (f *fakeAPI) ApproveDeployment(_ context.Context, r *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
	return f.approve(r)
}

func (f *fakeAPI) WatchDeployments(_ *pb.WatchDeploymentsRequest, stream grpc.ServerStreamingServer[pb.WatchDeploymentsResponse]) error {
	for _, m := range f.followed {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func (f *fakeAPI) ListEnvironments(context.Context, *pb.ListEnvironmentsRequest) (*pb.ListEnvironmentsResponse, error) {
	return &pb.ListEnvironmentsResponse{Environments: f.environments, AppliedIndex: 42}, nil
}

func (f *fakeAPI) SyncEnvironment(context.Context, *pb.SyncEnvironmentRequest) (*pb.SyncEnvironmentResponse, error) {
	return &pb.SyncEnvironmentResponse{Generation: 2, AppliedIndex: 42}, nil
}

func (f *fakeAPI) WatchEnvironments(_ *pb.WatchEnvironmentsRequest, stream grpc.ServerStreamingServer[pb.WatchEnvironmentsResponse]) error {
	for _, m := range f.watched {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func (f *fakeAPI) GetStatus(context.Context, *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	return f.status, nil
}

func (f *fakeAPI) RemoveServer(_ context.Context, r *pb.RemoveServerRequest) (*pb.RemoveServerResponse, error) {
	return f.remove(r)
}

// refusal is an answer that says that nothing was executed.
func (f *fakeAPI) RestoreSnapshot(stream grpc.ClientStreamingServer[pb.RestoreSnapshotRequest, pb.RestoreSnapshotResponse]) error {
	var id string
	var file []byte
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		id += m.GetHeader().GetRequestId()
		file = append(file, m.GetData()...)
	}
	answer, err := f.restore(id, string(file))
	if err != nil {
		return err
	}
	return stream.SendAndClose(answer)
}

func refusal(code codes.Code, reason, message string) error {
	return explained(code, reason, message, map[string]string{"outcome": "not_executed"})
}

// explained is an answer of the API with what it is certain of.
func explained(code codes.Code, reason, message string, metadata map[string]string) error {
	st, err := status.New(code, message).WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "gitops.honua.io", Metadata: metadata})
	if err != nil {
		return err
	}
	return st.Err()
}

// The cluster that the goldens show.
const (
	commitA = "def456abc1230000000000000000000000000000"
	commitB = "abc789bdef120000000000000000000000000000"
	digestA = "1111111111111111111111111111111111111111111111111111111111111111"
)

func at(minute int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 11, 21, 14, minute, 22, 0, time.UTC))
}

func sampleDeployments() []*pb.Deployment {
	return []*pb.Deployment{
		{
			Id: "production-20261121-143022", Environment: "production", Commit: commitB, Digest: digestA, Branch: "main",
			Author: "Ada", Message: "Add roads\n\nand more", State: pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL,
			Health: pb.Health_HEALTH_UNKNOWN, SyncStatus: pb.SyncStatus_SYNC_STATUS_OUT_OF_SYNC, InitiatedBy: "GitWatcher",
			StartedAt: at(30), UpdatedAt: at(30), Risk: pb.RiskLevel_RISK_LEVEL_MEDIUM, RequiredApprovers: 2,
			ApprovalReasons: []string{"requires_approval"}, Approvals: []*pb.Approval{{Approver: "bob", At: at(31), Comment: "fine"}},
			ApprovalExpiresAt: at(59), Attempts: 1, PreviousCommit: commitA,
			StateHistory: []*pb.StateTransition{{To: pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL, At: at(30), Message: "needs 2 approvals"}},
		},
		{
			Id: "production-20261121-140022", Environment: "production", Commit: commitA, Digest: digestA, Branch: "main",
			Author: "Ada", Message: "Begin", State: pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED,
			Health: pb.Health_HEALTH_HEALTHY, SyncStatus: pb.SyncStatus_SYNC_STATUS_SYNCED, InitiatedBy: "GitWatcher",
			StartedAt: at(0), UpdatedAt: at(1), CompletedAt: at(1), Risk: pb.RiskLevel_RISK_LEVEL_LOW, ActivationIndex: 17, Attempts: 1,
			Nodes: []*pb.NodeProgress{
				{NodeId: "node1", Participant: true, Staged: true, Verified: true, ServedIndex: 17},
				{NodeId: "node2", Participant: true, Unavailable: true, Problems: []string{"no contact since 14:00:01"}},
			},
			StateHistory: []*pb.StateTransition{
				{To: pb.DeploymentState_DEPLOYMENT_STATE_PENDING, At: at(0)},
				{From: pb.DeploymentState_DEPLOYMENT_STATE_PENDING, To: pb.DeploymentState_DEPLOYMENT_STATE_APPLYING, Phase: pb.DeploymentPhase_DEPLOYMENT_PHASE_STAGING, At: at(0)},
				{From: pb.DeploymentState_DEPLOYMENT_STATE_APPLYING, To: pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED, At: at(1)},
			},
		},
		{
			Id: "development-20261121-135022", Environment: "development", Commit: commitB, State: pb.DeploymentState_DEPLOYMENT_STATE_FAILED,
			Author: "Eve\x1b[2J", Message: "Break it", StartedAt: at(10), UpdatedAt: at(10), ReasonCode: "validation_failed",
			ErrorMessage: "Invalid JSON in configuration file",
			Problems:     []string{"environments/development/metadata.json:3:5: services: Invalid JSON in configuration file: unexpected end"},
		},
	}
}

func sampleAPI() *fakeAPI {
	list := sampleDeployments()
	served := []*pb.ServedBy{
		{NodeId: "node1", ActivationIndex: 17, Digest: digestA, Available: true},
		{NodeId: "node2", ActivationIndex: 12, Digest: "2222222222", Available: false, Message: "unreachable"},
	}
	return &fakeAPI{
		deployments: list,
		environments: []*pb.Environment{
			{
				Name: "development", Branch: "main", LatestCommit: commitB, Health: pb.Health_HEALTH_UNKNOWN, CurrentDeployment: list[2],
				SyncStatus: pb.SyncStatus_SYNC_STATUS_OUT_OF_SYNC, LastUpdated: at(40),
				Holds: []*pb.Hold{{Commit: commitB, Reason: "failed", DeploymentId: list[2].GetId(), Since: at(10)}},
			},
			{
				Name: "production", Branch: "main", DeployedCommit: commitA, LatestCommit: commitB, ActiveDigest: digestA, ActivationIndex: 17,
				ActiveDeploymentId: list[1].GetId(), CurrentDeployment: list[0], Health: pb.Health_HEALTH_DEGRADED,
				HealthMessage: "node2 does not serve it", SyncStatus: pb.SyncStatus_SYNC_STATUS_OUT_OF_SYNC, LastUpdated: at(40), ServedBy: served,
			},
		},
		status: &pb.GetStatusResponse{
			LeaderId: "node1", Term: 3, Quorum: 2, HasQuorum: true, NodeId: "node1", AppliedIndex: 42, ClusterId: "c", Format: 1,
			Servers: []*pb.Server{
				{Id: "node1", RaftAddress: "127.0.0.1:7701", GrpcAddress: "127.0.0.1:7700", HttpAddress: "127.0.0.1:5000", Voter: true, Leader: true, Healthy: true, AppliedIndex: 42, Version: "v1.3", Format: 2},
				{Id: "node2", RaftAddress: "127.0.0.1:7711", GrpcAddress: "127.0.0.1:7710", HttpAddress: "127.0.0.1:5001", Voter: true, AppliedIndex: 30, Version: "v1.2", Format: 1, Notices: []string{"no contact for 12s: is the process running?"}},
				{Id: "node3", RaftAddress: "127.0.0.1:7721", GrpcAddress: "127.0.0.1:7720", HttpAddress: "127.0.0.1:5002", Healthy: true, AppliedIndex: 42, Version: "v1.3", Format: 2},
			},
		},
	}
}
