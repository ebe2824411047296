package workflow

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// impatient is an environment in which approvals expire after a moment.
const impatient = "impatient"

func startGated(t *testing.T) *harness.Cluster {
	t.Helper()
	return harness.Start(t, harness.Options{
		Environments: []string{production, impatient}, Unready: true,
		Policies: map[string]harness.Section{impatient: {"RequiresApproval": true, "ApprovalTimeout": "00:00:02"}},
	})
}

// Production with its default policy stops at AwaitingApproval; approval deploys, rejection and expiry fail, and every
// node shows each of these decisions everywhere that operators look (I5).
func TestDecisionsShowOnEveryNode(t *testing.T) {
	t.Parallel()
	c := startGated(t)
	first := c.Repo.Commits()[0]

	d := await(t, c, production, first, awaiting)
	everywhere(t, c, d, "AwaitingApproval", "Pending", "deployment.awaiting_approval")
	if times, _ := activated(t, c, d); times != 0 {
		t.Fatal("I5: activated before it was approved")
	}
	c.CLI("deployment", "approve", d.GetId(), "--approver", "grace", "--comment", "looks good").Expect(t, 0)
	everywhere(t, c, d, "Completed", "Approved", "deployment.approve")

	expired := await(t, c, impatient, first, failed)
	if expired.GetReasonCode() != "approval_timeout" {
		t.Errorf("%s failed because of %s", expired.GetId(), expired.GetReasonCode())
	}
	everywhere(t, c, expired, "Failed", "Expired", "deployment.failed")

	second := c.Repo.AddLayer(production, "rivers")
	d = await(t, c, production, second, awaiting)
	c.CLI("deployment", "reject", d.GetId(), "--approver", "grace", "--reason", "the rivers are wrong").Expect(t, 0)
	everywhere(t, c, d, "Failed", "Rejected", "deployment.reject")
	if d = await(t, c, production, second, failed); !strings.Contains(d.GetErrorMessage(), "the rivers are wrong") {
		t.Errorf("the reason is lost: %q", d.GetErrorMessage())
	}
	if times, _ := activated(t, c, d); times != 0 {
		t.Error("I5: what was rejected is active")
	}
	c.CLI("deployment", "approve", d.GetId(), "--approver", "grace").Expect(t, 1)
	c.CLI("audit", "verify").Expect(t, 0)
	c.AwaitEqualStates()
	approveAndReject(t, c)
}

// approveAndReject has two operators decide at the same moment, on different nodes: one of them wins.
func approveAndReject(t *testing.T, c *harness.Cluster) {
	t.Helper()
	for _, title := range []string{"One", "Two", "Three", "Four"} {
		d := await(t, c, production, c.Repo.SetTitle(production, title), awaiting)
		var decisions sync.WaitGroup
		begin, errs := make(chan struct{}), make([]error, 2)
		for i, decide := range []func(pb.DeploymentServiceClient) error{
			func(s pb.DeploymentServiceClient) error {
				_, err := s.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: d.GetId(), Approver: "grace"})
				return err
			},
			func(s pb.DeploymentServiceClient) error {
				_, err := s.RejectDeployment(t.Context(), &pb.RejectDeploymentRequest{Id: d.GetId(), Approver: "alan", Reason: "no"})
				return err
			},
		} {
			conn, err := c.Nodes[i].Conn()
			if err != nil {
				t.Fatal(err)
			}
			decisions.Go(func() { <-begin; errs[i] = decide(pb.NewDeploymentServiceClient(conn)) })
		}
		close(begin)
		decisions.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("approve: %v, reject: %v", errs[0], errs[1])
		}
		for _, err := range errs {
			if code := status.Code(err); err != nil && code != codes.Aborted && code != codes.FailedPrecondition {
				t.Errorf("the other one got %v", err)
			}
		}
		want := complete
		if errs[0] != nil {
			want = failed
		}
		await(t, c, production, d.GetCommit(), want)
		n := c.Nodes[2]
		harness.Eventually(t, harness.DeployWithin, func() error { _, err := n.Approval(d.GetId()); return err })
		approvals := slices.DeleteFunc(audit(t, c.Leader(), d.GetId()), func(r record) bool { return r.Action != "deployment.approve" })
		if (len(approvals) == 1) != (errs[0] == nil) {
			t.Errorf("%d approvals on record, approve said %v", len(approvals), errs[0])
		}
	}
}
