package workflow

import (
	"slices"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// writePolicy writes the staging environment's entry of the policy file, without committing it.
func writePolicy(c *harness.Cluster, entry string) {
	c.Repo.Write(".gitops/deployment-policy.yaml", "environments:\n  staging:\n"+entry+"\n")
}

// synced commits and has the cluster look.
func synced(t *testing.T, c *harness.Cluster, message string) string {
	t.Helper()
	commit := c.Repo.Commit(message)
	look(t, c, staging)
	return commit
}

func current(t *testing.T, c *harness.Cluster) *pb.Deployment {
	t.Helper()
	e, err := c.Environment(staging)
	if err != nil {
		t.Fatal(err)
	}
	return e.GetCurrentDeployment()
}

// A change of the policy is gated by the policy before it: nobody approves himself out of approval. An audited override
// is the way out of a policy that locks everybody out.
func TestPolicyIsGatedByTheOneBefore(t *testing.T) {
	t.Parallel()
	c := startOne(t, staging, nil)
	await(t, c, staging, c.Repo.Commits()[0], complete)

	writePolicy(c, "    requiresApproval: true\n    minimumApprovers: 100\n    forbidAuthorApproval: true\n    minimumRiskLevelForApproval: Low")
	strict := await(t, c, staging, synced(t, c, "Trust nobody"), awaiting) // a policy is of high risk
	if strict.GetRequiredApprovers() != 1 {
		t.Errorf("%d approvers by the policy before", strict.GetRequiredApprovers())
	}
	c.CLI("deployment", "approve", strict.GetId(), "--approver", "grace").Expect(t, 0)

	writePolicy(c, "    requiresApproval: false\n    minimumRiskLevelForApproval: Critical")
	lax := await(t, c, staging, synced(t, c, "Trust everybody"), awaiting)
	if lax.GetRequiredApprovers() != 100 {
		t.Errorf("%d approvers, although the policy in force asks for 100", lax.GetRequiredApprovers())
	}
	r := c.CLI("deployment", "approve", lax.GetId(), "--approver", "ADA@example.com").Expect(t, 4)
	if !strings.Contains(r.Err, "contributed") {
		t.Errorf("%s", r.Err)
	}
	c.CLI("deployment", "approve", lax.GetId(), "--approver", "grace", "--async").Expect(t, 0)
	c.CLI("deployment", "approve", lax.GetId(), "--approver", "Grace", "--async").Expect(t, 0)
	if d := await(t, c, staging, lax.GetCommit(), awaiting); len(d.GetApprovals()) != 1 {
		t.Errorf("one approver counts as %d", len(d.GetApprovals()))
	}
	c.CLI("deployment", "approve", lax.GetId(), "--override", "--reason", "locked out").Expect(t, 0)
	await(t, c, staging, lax.GetCommit(), complete)
	if !slices.ContainsFunc(audit(t, c.Nodes[0], lax.GetId()), func(r record) bool {
		return r.Action == "deployment.override" && r.Reason == "locked out"
	}) {
		t.Error("the override is not in the audit")
	}

	writePolicy(c, "    allowedHours: {start: \"09:00\", end: \"09:00\"}\n    requireApproval: true")
	broken := await(t, c, staging, synced(t, c, "Break the policy"), failed)
	said := strings.Join(broken.GetProblems(), "\n")
	for _, part := range []string{".gitops/deployment-policy.yaml:3:", "never opens", ".gitops/deployment-policy.yaml:4:", "requireApproval"} {
		if !strings.Contains(said, part) {
			t.Errorf("the problems do not say %q:\n%s", part, said)
		}
	}
}

// A rewritten branch needs approval, and the request shows both commits and what was rewritten away (I13).
func TestForcePushNeedsApproval(t *testing.T) {
	t.Parallel()
	c := startOne(t, staging, nil)
	await(t, c, staging, c.Repo.Commits()[0], complete)
	deployed := c.Repo.SetTitle(staging, "Will be lost")
	look(t, c, staging)
	await(t, c, staging, deployed, complete)
	c.Repo.Git("reset", "-q", "--hard", c.Repo.Commits()[0])
	commit := c.Repo.SetTitle(staging, "Came instead")
	look(t, c, staging)
	d := await(t, c, staging, commit, awaiting)
	var s shown
	c.CLI("deployment", "show", d.GetId(), "-o", "json").Expect(t, 0).Decode(t, &s)
	if !slices.Equal(s.ApprovalReasons, []string{"force_push"}) || s.PreviousCommit != deployed ||
		len(s.RewrittenAway) != 1 || !strings.HasPrefix(s.RewrittenAway[0], deployed) {
		t.Errorf("%+v", s)
	}
	if !slices.ContainsFunc(audit(t, c.Nodes[0], d.GetId()), func(r record) bool {
		return strings.Contains(r.Detail, deployed) && strings.Contains(r.Detail, commit)
	}) {
		t.Error("I13: the audit does not show both commits")
	}
	c.CLI("deployment", "approve", d.GetId(), "--approver", "grace").Expect(t, 0)
	await(t, c, staging, commit, complete)
}

// Bad input is refused with a message and an exit code, and changes nothing.
func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	c := startOne(t, production, nil)
	d := await(t, c, production, c.Repo.Commits()[0], awaiting)
	near := strings.TrimSuffix(d.GetId(), d.GetId()[len(d.GetId())-1:]) + "x"
	c.CLI("audit", "verify", "-o", "json").Expect(t, 0)
	before := len(audit(t, c.Nodes[0], d.GetId()))
	for _, bad := range []struct {
		args []string
		says string
	}{
		{[]string{"deployment", "approve", near}, d.GetId()},
		{[]string{"deployment", "retry", d.GetId()}, "only what failed or was rolled back"},
		{[]string{"deployment", "reject", d.GetId(), "--reason", " "}, "reason"},
		{[]string{"deployment", "cancel", d.GetId()}, "reason"},
		{[]string{"deployment", "rollback", "-e", production, "--reason", "no"}, "never served anything"},
		{[]string{"environment", "show", "producton"}, production},
		{[]string{"deployment", "approve", d.GetId(), "--commit", strings.Repeat("0", 40)}, "look again"},
	} {
		if r := c.CLI(bad.args...).Expect(t, 1); !strings.Contains(r.Err, bad.says) {
			t.Errorf("honua %s does not say %q: %s", strings.Join(bad.args, " "), bad.says, r.Err)
		}
	}
	if after := len(audit(t, c.Nodes[0], d.GetId())); after != before {
		t.Errorf("%d records became %d", before, after)
	}
	await(t, c, production, d.GetCommit(), awaiting)
}
