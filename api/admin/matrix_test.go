package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// scope is in which environments a role has to be held.
type scope int

const (
	// there: in the environment that the request is about, which is production.
	there scope = iota
	// anywhere: in any environment.
	anywhere
	// everywhere: in all of them.
	everywhere
)

// cell is one row of the matrix: a request that gets as far as the decision.
type cell struct {
	request proto.Message
	scope   scope
	stream  bool
}

// cells says of every method what is asked of it; a method that is not here fails the test.
func cells(id string) map[string]cell {
	const env = "production"
	return map[string]cell{
		pb.DeploymentService_ListDeployments_FullMethodName:    {request: &pb.ListDeploymentsRequest{Environment: env}},
		pb.DeploymentService_GetDeployment_FullMethodName:      {request: &pb.GetDeploymentRequest{Id: id}},
		pb.DeploymentService_WatchDeployments_FullMethodName:   {request: &pb.WatchDeploymentsRequest{Environment: env}, stream: true},
		pb.DeploymentService_PlanDeployment_FullMethodName:     {request: &pb.PlanDeploymentRequest{Id: id}},
		pb.DeploymentService_CancelDeployment_FullMethodName:   {request: &pb.CancelDeploymentRequest{Id: id, Reason: "r"}},
		pb.DeploymentService_RetryDeployment_FullMethodName:    {request: &pb.RetryDeploymentRequest{Id: id}},
		pb.DeploymentService_ApproveDeployment_FullMethodName:  {request: &pb.ApproveDeploymentRequest{Id: id}},
		pb.DeploymentService_RejectDeployment_FullMethodName:   {request: &pb.RejectDeploymentRequest{Id: id, Reason: "r"}},
		pb.DeploymentService_RollbackDeployment_FullMethodName: {request: &pb.RollbackDeploymentRequest{Environment: env, Reason: "r"}},

		pb.EnvironmentService_ListEnvironments_FullMethodName:  {request: &pb.ListEnvironmentsRequest{}, scope: anywhere},
		pb.EnvironmentService_GetEnvironment_FullMethodName:    {request: &pb.GetEnvironmentRequest{Name: env}},
		pb.EnvironmentService_ListActivations_FullMethodName:   {request: &pb.ListActivationsRequest{Environment: env}},
		pb.EnvironmentService_CheckDrift_FullMethodName:        {request: &pb.CheckDriftRequest{Environment: env}},
		pb.EnvironmentService_WatchEnvironments_FullMethodName: {request: &pb.WatchEnvironmentsRequest{Name: env}, stream: true},
		pb.EnvironmentService_SyncEnvironment_FullMethodName:   {request: &pb.SyncEnvironmentRequest{Environment: env}},
		pb.EnvironmentService_PauseEnvironment_FullMethodName:  {request: &pb.PauseEnvironmentRequest{Environment: env, Reason: "r"}},
		pb.EnvironmentService_ResumeEnvironment_FullMethodName: {request: &pb.ResumeEnvironmentRequest{Environment: env}},
		pb.EnvironmentService_ImportEnvironment_FullMethodName: {request: &pb.ImportEnvironmentRequest{
			Environment: env, Source: "production.json", SourceDigest: strings.Repeat("0", 64),
			Deployments: []*pb.Deployment{{Id: "production-20260101-000000", Environment: env, Commit: strings.Repeat("a", 40)}},
		}},

		pb.ClusterService_GetStatus_FullMethodName:          {request: &pb.GetStatusRequest{}, scope: anywhere},
		pb.ClusterService_ListMembers_FullMethodName:        {request: &pb.ListMembersRequest{}, scope: anywhere},
		pb.ClusterService_AddServer_FullMethodName:          {request: &pb.AddServerRequest{Address: "127.0.0.1:7702"}, scope: everywhere},
		pb.ClusterService_RemoveServer_FullMethodName:       {request: &pb.RemoveServerRequest{Id: "n2"}, scope: everywhere},
		pb.ClusterService_TransferLeadership_FullMethodName: {request: &pb.TransferLeadershipRequest{}, scope: everywhere},
		pb.ClusterService_ChangeGossipKey_FullMethodName:    {request: &pb.ChangeGossipKeyRequest{}, scope: everywhere},
		pb.ClusterService_ListGossipKeys_FullMethodName:     {request: &pb.ListGossipKeysRequest{}, scope: everywhere},
		pb.ClusterService_SaveSnapshot_FullMethodName:       {request: &pb.SaveSnapshotRequest{}, scope: everywhere, stream: true},
		pb.ClusterService_RestoreSnapshot_FullMethodName:    {request: &pb.RestoreSnapshotRequest{}, scope: everywhere, stream: true},

		pb.AuditService_ListAuditRecords_FullMethodName: {request: &pb.ListAuditRecordsRequest{Environment: env}},
		pb.AuditService_VerifyAuditChain_FullMethodName: {request: &pb.VerifyAuditChainRequest{}, scope: anywhere},

		pb.SettingsService_GetSettings_FullMethodName:   {request: &pb.GetSettingsRequest{}, scope: everywhere},
		pb.SettingsService_ApplySettings_FullMethodName: {request: &pb.ApplySettingsRequest{Settings: someSettings()}, scope: everywhere},
		pb.DebugService_CollectDebug_FullMethodName:     {request: &pb.CollectDebugRequest{}, scope: everywhere, stream: true},

		pb.TokenService_CreateToken_FullMethodName: {request: &pb.CreateTokenRequest{
			Hash: make([]byte, 32), ExpiresAt: timestamppb.New(epoch.AddDate(0, 0, 1)), Grants: []*pb.Grant{{Role: pb.Role_ROLE_VIEWER}},
		}, scope: everywhere},
		pb.TokenService_ListTokens_FullMethodName:  {request: &pb.ListTokensRequest{}, scope: everywhere},
		pb.TokenService_RevokeToken_FullMethodName: {request: &pb.RevokeTokenRequest{Id: "x"}, scope: everywhere},
	}
}

// whoever is an Authenticator that says what a test told it last.
type whoever struct {
	mu       sync.Mutex
	identity Identity
	err      error
}

func (w *whoever) Identify(context.Context) (Identity, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.identity, w.err
}

func (w *whoever) become(i Identity, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.identity, w.err = i, err
}

// ask makes one call and returns its code; a stream is left after its first message.
func (a *api) ask(t *testing.T, method string, c cell) codes.Code {
	t.Helper()
	if !c.stream {
		return status.Code(a.conn.Invoke(t.Context(), method, c.request, &emptypb.Empty{}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := a.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err == nil {
		err = errors.Join(stream.SendMsg(c.request), stream.CloseSend(), stream.RecvMsg(&emptypb.Empty{}))
	}
	return status.Code(err)
}

// Every method × role × kind of credential × environment: who holds the role
// where it is asked for is let in, and nobody else.
func TestMethodsRolesCredentialsEnvironments(t *testing.T) {
	caller := &whoever{}
	a := serve(t, func(c *Config) {
		c.Register = nodeServices
		c.Authenticator = caller
	})
	all := cells(a.node.Create("production", "roads"))
	calls := 0
	for method, need := range methods {
		if need.public {
			continue
		}
		row, listed := all[method]
		switch {
		case need.node && !listed:
			row = cell{request: &emptypb.Empty{}}
		case !listed:
			t.Errorf("%s is not in the matrix", method)
			continue
		}
		caller.become(Identity{}, errors.New("no credentials"))
		if code := a.ask(t, method, row); code != codes.Unauthenticated {
			t.Errorf("%s without credentials: %s", method, code)
		}
		for _, kind := range []string{"token", "certificate", "oidc"} {
			for role := NoRole; role <= Admin; role++ {
				for _, in := range []string{"production", "development", AllEnvironments} {
					calls++ // somebody else each time: who began a deployment may not approve it
					caller.become(Identity{Name: fmt.Sprintf("eve%d", calls), Authentication: kind, Roles: map[string]Role{in: role}}, nil)
					held := in == AllEnvironments || row.scope == anywhere || row.scope == there && in == "production"
					want := need.node || role < need.least || !held
					if denied := a.ask(t, method, row) == codes.PermissionDenied; denied != want {
						t.Errorf("%s by %s@%s with a %s: denied %v, want %v", method, role, in, kind, denied, want)
					}
				}
			}
		}
	}
	for method := range all {
		if _, known := methods[method]; !known {
			t.Errorf("%s is no method", method)
		}
	}
}

// Lists leave out what the caller may not see.
func TestListsByEnvironment(t *testing.T) {
	a := serve(t, as(Identity{Name: "eve", Authentication: "token", Roles: map[string]Role{"development": Viewer}}))
	a.node.Create("production", "roads")
	a.node.Deploy("rivers")
	environments, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{})
	if err != nil || len(environments.GetEnvironments()) != 1 || environments.GetEnvironments()[0].GetName() != "development" {
		t.Errorf("%v, %v", environments, err)
	}
	deployments, err := a.deployments.ListDeployments(t.Context(), &pb.ListDeploymentsRequest{})
	if err != nil || len(deployments.GetDeployments()) == 0 {
		t.Fatal(err)
	}
	records, err := a.audits.ListAuditRecords(t.Context(), &pb.ListAuditRecordsRequest{})
	if err != nil || len(records.GetRecords()) == 0 {
		t.Fatal(err)
	}
	seen := ""
	for _, d := range deployments.GetDeployments() {
		seen += d.GetEnvironment() + " "
	}
	for _, r := range records.GetRecords() {
		seen += r.GetEnvironment() + " "
	}
	if strings.Contains(seen, "production") {
		t.Errorf("it sees %s", fmt.Sprint(seen))
	}
}
