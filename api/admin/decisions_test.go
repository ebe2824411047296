package admin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestApprove(t *testing.T) {
	a := serve(t)
	id := a.node.Create("production", "roads")
	waiting, err := a.deployments.GetDeployment(t.Context(), &pb.GetDeploymentRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	d := waiting.GetDeployment()
	if d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL || d.GetRequiredApprovers() != 1 {
		t.Fatalf("%v", d)
	}
	if until := d.GetApprovalExpiresAt().AsTime().Sub(epoch); until < time.Hour || until > time.Hour+time.Minute {
		t.Errorf("expires after %v", until)
	}
	_, err = a.deployments.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: id, Approver: "grace", ExpectedCommit: admintest.Commit("rivers")})
	if got := tell(t, err); got.code != codes.FailedPrecondition || got.metadata["outcome"] != "not_executed" {
		t.Errorf("%v", got)
	}
	_, err = a.deployments.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: id, Approver: "ADA"})
	wantCode(t, err, codes.PermissionDenied, "CONTRIBUTOR")
	answer, err := a.deployments.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{
		Id: id, Approver: "grace", Comment: "looks good", ExpectedCommit: d.GetCommit(),
		ExpectedDigest: d.GetDigest(), ExpectedPolicyDigest: d.GetPolicyDigest(),
	})
	if err != nil {
		t.Fatal(err)
	}
	approved := answer.GetDeployment()
	if approved.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_PENDING || approved.GetApprovals()[0].GetApprover() != "grace" {
		t.Errorf("%v", approved)
	}
}

func TestRejectCancelRetry(t *testing.T) {
	a := serve(t)
	rejected := a.node.Create("production", "roads")
	answer, err := a.deployments.RejectDeployment(t.Context(), &pb.RejectDeploymentRequest{Id: rejected, Reason: "wrong table", Approver: "grace"})
	if err != nil {
		t.Fatal(err)
	}
	d := answer.GetDeployment()
	if d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_FAILED || d.GetReasonCode() != "rejected" || !strings.Contains(d.GetErrorMessage(), "wrong table") {
		t.Errorf("%v", d)
	}
	shown, err := a.environments.GetEnvironment(t.Context(), &pb.GetEnvironmentRequest{Name: "production"})
	if err != nil || len(shown.GetEnvironment().GetHolds()) != 1 {
		t.Errorf("holds %v, %v", shown.GetEnvironment().GetHolds(), err)
	}
	again, err := a.deployments.RetryDeployment(t.Context(), &pb.RetryDeploymentRequest{Id: rejected, Reason: "table is there now"})
	if err != nil || again.GetDeployment().GetState() != pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL {
		t.Errorf("%v, %v", again, err)
	}
	cancelled, err := a.deployments.CancelDeployment(t.Context(), &pb.CancelDeploymentRequest{Id: rejected, Reason: "not today"})
	if err != nil || cancelled.GetDeployment().GetReasonCode() != "cancelled" {
		t.Errorf("%v, %v", cancelled, err)
	}
	_, err = a.deployments.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: rejected, Approver: "grace"})
	wantCode(t, err, codes.FailedPrecondition, "WRONG_STATE")
}

func TestRollback(t *testing.T) {
	a := serve(t)
	first := a.node.Deploy("roads")
	second := a.node.Deploy("rivers")
	answer, err := a.deployments.RollbackDeployment(t.Context(), &pb.RollbackDeploymentRequest{Environment: "development", Reason: "floods"})
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetDeployment().GetId() != second || answer.GetTargetId() != first {
		t.Errorf("%v", answer)
	}
	_, err = a.deployments.RollbackDeployment(t.Context(), &pb.RollbackDeploymentRequest{Environment: "development", ToId: "nonsense", Reason: "r"})
	if got := wantCode(t, err, codes.NotFound, "UNKNOWN_DEPLOYMENT"); got.metadata["nearest"] != "" {
		t.Errorf("nearest %v", got.metadata)
	}
}

// The same request id is executed once, and answered alike (I3).
func TestARequestIDIsExecutedOnce(t *testing.T) {
	a := serve(t)
	id := newRequestID(epoch)
	var generations []uint64
	for range 3 {
		answer, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{RequestId: id, Environment: "production", Actor: "grace"})
		if err != nil {
			t.Fatal(err)
		}
		generations = append(generations, answer.GetGeneration())
	}
	if !slices.Equal(generations, []uint64{1, 1, 1}) {
		t.Errorf("generations %v", generations)
	}
	_, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{RequestId: id, Environment: "development", Actor: "grace"})
	wantCode(t, err, codes.InvalidArgument, "REQUEST_ID_REUSED")
	_, err = a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{RequestId: newRequestID(epoch.AddDate(0, 0, -2)), Environment: "production"})
	wantCode(t, err, codes.InvalidArgument, "REQUEST_TOO_OLD")
}

func TestTheServerMakesARequestID(t *testing.T) {
	a := serve(t)
	var header metadata.MD
	if _, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: "production"}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	made := header.Get(RequestIDHeader)
	if len(made) != 1 {
		t.Fatalf("header %v", header)
	}
	if at, ok := issuedAt(made[0]); !ok || at != epoch.UnixMilli() {
		t.Errorf("%s was issued at %d", made[0], at)
	}
	header = nil
	a.node.failWith(errMaybe)
	_, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: "production"}, grpc.Header(&header))
	if got := tell(t, err); got.metadata["request_id"] == "" || got.metadata["request_id"] != header.Get(RequestIDHeader)[0] {
		t.Errorf("metadata %v, header %v", got.metadata, header)
	}
}

// Who acts is who the credential says; without one, who the caller says.
func TestWhoActs(t *testing.T) {
	credential := func(c *Config) {
		c.Authenticator = identified{identity: Identity{Name: "grace", Authentication: "token", Source: "10.0.0.9:1", Roles: map[string]Role{AllEnvironments: Admin}}}
	}
	tests := []struct {
		name           string
		alter          []func(*Config)
		claimed        string
		actor          string
		authentication string
		denied         bool
	}{
		{"without credentials, named", nil, "ada", "ada", "none", false},
		{"without credentials, nameless", nil, "", "anonymous", "none", false},
		{"credential", []func(*Config){credential}, "", "grace", "token", false},
		{"credential, same name", []func(*Config){credential}, "GRACE", "grace", "token", false},
		{"credential, another name", []func(*Config){credential}, "ada", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t, tt.alter...)
			_, err := a.environments.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{Environment: "production", Reason: "r", Actor: tt.claimed})
			if tt.denied {
				wantCode(t, err, codes.PermissionDenied, "IDENTITY_MISMATCH")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			records, err := a.audits.ListAuditRecords(t.Context(), &pb.ListAuditRecordsRequest{PageSize: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := records.GetRecords()[0]
			if r.GetActor() != tt.actor || r.GetAuthentication() != tt.authentication || r.GetSource() == "" {
				t.Errorf("%v", r)
			}
		})
	}
}

// Bad input is refused with its fields, and nothing is proposed.
func TestBadInput(t *testing.T) {
	a := serve(t)
	long := strings.Repeat("x", 5000)
	d, e, c := a.deployments, a.environments, a.clusters
	tests := []struct {
		name   string
		call   func() error
		fields []string
	}{
		{"approve", func() error {
			_, err := d.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{RequestId: "a b", Approver: "a\nb", Comment: long, Override: true})
			return err
		}, []string{"request_id", "id", "approver", "comment", "reason"}},
		{"reject", func() error {
			_, err := d.RejectDeployment(t.Context(), &pb.RejectDeploymentRequest{Id: "x", Reason: " \t"})
			return err
		}, []string{"reason"}},
		{"cancel", func() error {
			_, err := d.CancelDeployment(t.Context(), &pb.CancelDeploymentRequest{Id: long})
			return err
		}, []string{"id", "reason"}},
		{"retry", func() error {
			_, err := d.RetryDeployment(t.Context(), &pb.RetryDeploymentRequest{RequestId: long, Id: "x"})
			return err
		}, []string{"request_id"}},
		{"rollback", func() error {
			_, err := d.RollbackDeployment(t.Context(), &pb.RollbackDeploymentRequest{})
			return err
		}, []string{"environment", "reason"}},
		{"get", func() error {
			_, err := d.GetDeployment(t.Context(), &pb.GetDeploymentRequest{})
			return err
		}, []string{"id"}},
		{"plan", func() error {
			_, err := d.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{})
			return err
		}, []string{"environment"}},
		{"sync", func() error {
			_, err := e.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{})
			return err
		}, []string{"environment"}},
		{"pause nothing", func() error {
			_, err := e.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{})
			return err
		}, []string{"environment", "reason"}},
		{"pause both", func() error {
			_, err := e.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{Environment: "production", All: true, Reason: "r"})
			return err
		}, []string{"environment"}},
		{"pause until yesterday", func() error {
			_, err := e.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{All: true, Reason: "r", Until: timestamppb.New(epoch.AddDate(0, 0, -1))})
			return err
		}, []string{"until"}},
		{"pause until nonsense", func() error {
			_, err := e.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{All: true, Reason: "r", Until: &timestamppb.Timestamp{Nanos: -1}})
			return err
		}, []string{"until"}},
		{"resume", func() error {
			_, err := e.ResumeEnvironment(t.Context(), &pb.ResumeEnvironmentRequest{})
			return err
		}, []string{"environment"}},
		{"add", func() error {
			_, err := c.AddServer(t.Context(), &pb.AddServerRequest{Address: "here"})
			return err
		}, []string{"address"}},
		{"remove", func() error {
			_, err := c.RemoveServer(t.Context(), &pb.RemoveServerRequest{})
			return err
		}, []string{"id"}},
	}
	before := a.node.Store().State().Index()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wantCode(t, tt.call(), codes.InvalidArgument, "INVALID_REQUEST")
			if !slices.Equal(got.fields, tt.fields) || got.metadata["outcome"] != "not_executed" {
				t.Errorf("fields %v, want %v; %v", got.fields, tt.fields, got.metadata)
			}
		})
	}
	if after := a.node.Store().State().Index(); after != before {
		t.Errorf("%d commands were proposed", after-before)
	}
}
