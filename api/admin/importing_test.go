package admin

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestImport(t *testing.T) {
	a := serve(t)
	a.node.Deploy("roads")
	request := &pb.ImportEnvironmentRequest{
		Environment: "development", Source: "development.json", RequestId: "import-1", Actor: "grace",
		Deployments: []*pb.Deployment{{Id: "development-20251023-143022", Commit: "abcdef0123", State: pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED}},
	}
	for range 2 { // the repeated request has the first one's answer (I3)
		answer, err := a.environments.ImportEnvironment(t.Context(), request)
		if err != nil || answer.GetImported() != 1 || answer.GetEnvironment().GetName() != "development" {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	got, err := a.deployments.GetDeployment(t.Context(), &pb.GetDeploymentRequest{Id: "development-20251023-143022"})
	if d := got.GetDeployment(); err != nil || !d.GetImported() || d.GetInitiatedBy() != "import" || d.GetActivationIndex() != 0 {
		t.Fatalf("%v, %v", got, err)
	}
	for _, wrong := range []*pb.ImportEnvironmentRequest{
		{Environment: "development"},
		{Environment: "development", Source: "f", Deployments: make([]*pb.Deployment, maxImported+1)},
		{Environment: "development", Source: "f", Deployments: []*pb.Deployment{{Id: "other-1"}}},
	} {
		if _, err := a.environments.ImportEnvironment(t.Context(), wrong); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v", err)
		}
	}
}
