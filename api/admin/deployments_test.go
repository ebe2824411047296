package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func ids(deployments []*pb.Deployment) []string {
	var found []string
	for _, d := range deployments {
		found = append(found, d.GetId())
	}
	return found
}

func TestListDeploymentsPagesTheNewestFirst(t *testing.T) {
	a := serve(t)
	var want []string
	for i := range 7 {
		want = append(want, a.node.Create([]string{"production", "development"}[i%2], fmt.Sprint("layer", i)))
	}
	slices.Reverse(want)
	var got []string
	token, pages := "", 0
	for {
		page, err := a.deployments.ListDeployments(t.Context(), &pb.ListDeploymentsRequest{PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		if page.GetAppliedIndex() != a.node.Store().State().Index() {
			t.Errorf("applied index %d", page.GetAppliedIndex())
		}
		got, pages = append(got, ids(page.GetDeployments())...), pages+1
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("got %v in %d pages, want %v", got, pages, want)
	}
	one, err := a.deployments.ListDeployments(t.Context(), &pb.ListDeploymentsRequest{Environment: "development"})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range one.GetDeployments() {
		if d.GetEnvironment() != "development" {
			t.Errorf("%s is of %s", d.GetId(), d.GetEnvironment())
		}
	}
}

func TestPageTokensBelongToTheirList(t *testing.T) {
	a := serve(t)
	a.node.Create("production", "one")
	a.node.Create("production", "two")
	page, err := a.deployments.ListDeployments(t.Context(), &pb.ListDeploymentsRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, request := range map[string]*pb.ListDeploymentsRequest{
		"another list": {PageToken: page.GetNextPageToken(), Environment: "production"},
		"garbage":      {PageToken: "???"},
		"truncated":    {PageToken: page.GetNextPageToken()[:5]},
	} {
		_, err := a.deployments.ListDeployments(t.Context(), request)
		if got := wantCode(t, err, codes.InvalidArgument, "INVALID_REQUEST"); !slices.Equal(got.fields, []string{"page_token"}) {
			t.Errorf("%s: fields %v", name, got.fields)
		}
	}
}

func TestADeploymentThatIsNotThereSuggestsTheNearest(t *testing.T) {
	a := serve(t)
	id := a.node.Create("production", "roads")
	for _, asked := range []string{id[:len(id)-1], strings.Replace(id, "production", "prodction", 1), strings.ToUpper(id)} {
		_, err := a.deployments.GetDeployment(t.Context(), &pb.GetDeploymentRequest{Id: asked})
		got := wantCode(t, err, codes.NotFound, "UNKNOWN_DEPLOYMENT")
		if got.metadata["nearest"] != id || !strings.Contains(got.message, id) {
			t.Errorf("%s: %s %v", asked, got.message, got.metadata)
		}
	}
	_, err := a.deployments.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: "nonsense"})
	if got := wantCode(t, err, codes.NotFound, "UNKNOWN_DEPLOYMENT"); got.metadata["nearest"] != "" || got.metadata["outcome"] != "not_executed" {
		t.Errorf("metadata %v", got.metadata)
	}
	_, err = a.deployments.ListDeployments(t.Context(), &pb.ListDeploymentsRequest{Environment: "prod"})
	if got := wantCode(t, err, codes.NotFound, "UNKNOWN_ENVIRONMENT"); got.metadata["nearest"] != "production" {
		t.Errorf("metadata %v", got.metadata)
	}
}

func TestADeploymentIsShownAsItIs(t *testing.T) {
	a := serve(t)
	id := a.node.Deploy("roads")
	answer, err := a.deployments.GetDeployment(t.Context(), &pb.GetDeploymentRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	d := answer.GetDeployment()
	if d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED || d.GetHealth() != pb.Health_HEALTH_HEALTHY ||
		d.GetSyncStatus() != pb.SyncStatus_SYNC_STATUS_SYNCED || d.GetRisk() != pb.RiskLevel_RISK_LEVEL_LOW {
		t.Errorf("%v %v %v %v", d.GetState(), d.GetHealth(), d.GetSyncStatus(), d.GetRisk())
	}
	if d.GetCommit() != admintest.Commit("roads") || d.GetAuthor() != "Ada" || d.GetMessage() != "add roads" || d.GetActivationIndex() != 1 || d.GetAttempts() != 1 {
		t.Errorf("%v", d)
	}
	if !slices.Equal(d.GetContributors(), []string{"Ada <ada@example.com> (author)"}) || d.GetPolicyDigest() == "" {
		t.Errorf("contributors %v, policy %q", d.GetContributors(), d.GetPolicyDigest())
	}
	var states []string
	for _, line := range d.GetStateHistory() {
		states = append(states, strings.TrimPrefix(line.GetTo().String(), "DEPLOYMENT_STATE_"))
		if line.GetAt().AsTime().Before(epoch) {
			t.Errorf("a line of %v", line.GetAt().AsTime())
		}
	}
	if states[0] != "PENDING" || states[len(states)-1] != "COMPLETED" || !slices.Contains(states, "APPLYING") {
		t.Errorf("history %v", states)
	}
	if len(d.GetNodes()) != 1 || d.GetNodes()[0].GetServedIndex() != 1 {
		t.Errorf("nodes %v", d.GetNodes())
	}
}

func TestNodesOfADeploymentUnderWay(t *testing.T) {
	a := serve(t)
	id := a.node.Create("development", "roads")
	a.node.Stage("development", id)
	answer, err := a.deployments.GetDeployment(t.Context(), &pb.GetDeploymentRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	n := answer.GetDeployment().GetNodes()[0]
	if !n.GetParticipant() || !n.GetStaged() || n.GetVerified() || n.GetRejected() || n.GetUnavailable() {
		t.Errorf("%v", n)
	}
	if phase := answer.GetDeployment().GetPhase(); phase != pb.DeploymentPhase_DEPLOYMENT_PHASE_ACTIVATING {
		t.Errorf("phase %v", phase)
	}
}

func TestPlans(t *testing.T) {
	a := serve(t)
	_, err := a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Environment: "production"})
	wantCode(t, err, codes.NotFound, "NO_DEPLOYMENT")
	older := a.node.Create("production", "roads")
	newer := a.node.Create("production", "rivers")
	answer, err := a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	p := answer.GetPlan()
	if answer.GetDeployment().GetId() != newer || p.GetToCommit() != admintest.Commit("rivers") || p.GetEstimatedDurationSeconds() != 2 {
		t.Errorf("%v", answer)
	}
	if len(p.GetAdded()) != 1 || p.GetAdded()[0].GetId() != "rivers" || p.GetAdded()[0].GetBreaking() {
		t.Errorf("added %v", p.GetAdded())
	}
	if m := p.GetModified(); len(m) != 1 || !m[0].GetBreaking() || !slices.Equal(m[0].GetReasons(), []string{"srid changed"}) {
		t.Errorf("modified %v", m)
	}
	if !slices.Equal(p.GetBreaking(), []string{"Layer cities: srid changed"}) {
		t.Errorf("breaking %v", p.GetBreaking())
	}
	_, err = a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Id: older, Environment: "development"})
	wantCode(t, err, codes.NotFound, "OTHER_ENVIRONMENT")
	if _, err = a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Id: older}); err != nil {
		t.Error(err)
	}
}
