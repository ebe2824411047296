package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// awaitState waits until a commit's one deployment is in a state.
func awaitState(t *testing.T, c *harness.Cluster, environment, commit, state string) (d deployment) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		list, err := find(t, c, environment, commit)
		if err != nil {
			return err
		}
		if len(list) != 1 {
			return fmt.Errorf("%d deployments of %s", len(list), commit)
		}
		if d = list[0]; d.State != state {
			return fmt.Errorf("%s is %s (%s), not %s", d.ID, d.State, d.ErrorMessage, state)
		}
		return nil
	})
	return d
}

func awaitApprovalFile(t *testing.T, c *harness.Cluster, deployment, state, responder string) {
	t.Helper()
	for _, n := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error {
			a, err := n.Approval(deployment)
			if err == nil && (a.State != state || a.Responder != responder) {
				err = fmt.Errorf("%s: %+v", n.ID, a)
			}
			return err
		})
	}
}

// Production with nothing configured: each deployment waits for somebody; what is rejected is never served; a rollback
// brings back what was served before, and what comes after it waits again.
func TestProductionWaitsForApproval(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Environments: []string{production}, Unready: true})
	first := c.Repo.Commits()[0]
	d := awaitState(t, c, production, first, "AwaitingApproval")
	awaitApprovalFile(t, c, d.ID, "Pending", "")
	c.CLI("environment", "sync", production).Expect(t, 0)
	c.CLI("deployment", "approve", d.ID, "--approver", "grace").Expect(t, 0)
	served := c.AwaitServed(production, first).GetActiveDigest()
	awaitState(t, c, production, first, "Completed")
	awaitApprovalFile(t, c, d.ID, "Approved", "grace")

	observer := harness.Observe(t.Context(), production, c.Nodes...)
	rejected := awaitState(t, c, production, c.Repo.AddLayer(production, "rivers"), "AwaitingApproval")
	c.CLI("deployment", "reject", rejected.ID).Expect(t, 1)
	c.CLI("deployment", "reject", rejected.ID, "--reason", "not the rivers", "--approver", "grace").Expect(t, 0)
	if d := one(t, c, production, rejected.Commit); d.State != "Failed" || !strings.Contains(d.ErrorMessage, "not the rivers") {
		t.Errorf("%+v", d)
	}
	c.CLI("deployment", "approve", rejected.ID, "--approver", "grace").Expect(t, 1)
	if digests, _, failures := observer.Stop(); !slices.Equal(digests, []string{served}) || len(failures) > 0 {
		t.Errorf("I5: served were %v; failures %v", digests, failures)
	}

	second := awaitState(t, c, production, c.Repo.AddLayer(production, "lakes"), "AwaitingApproval")
	c.CLI("deployment", "approve", second.ID, "--approver", "grace").Expect(t, 0)
	c.AwaitServed(production, second.Commit)
	awaitState(t, c, production, second.Commit, "Completed")
	c.CLI("deployment", "rollback", "-e", production).Expect(t, 1)
	c.CLI("deployment", "rollback", "-e", production, "--reason", "the lakes are dry").Expect(t, 0)
	if e := c.AwaitServed(production, first); e.GetActiveDigest() != served {
		t.Errorf("%s is served after the rollback, not %s", e.GetActiveDigest(), served)
	}
	awaitState(t, c, production, second.Commit, "RolledBack")

	after := awaitState(t, c, production, c.Repo.SetTitle(production, "Large cities"), "AwaitingApproval")
	if !slices.ContainsFunc(after.ApprovalReasons, func(reason string) bool { return strings.Contains(reason, "after_rollback") }) {
		t.Errorf("approval is asked for because of %q", after.ApprovalReasons)
	}
	c.CLI("deployment", "approve", after.ID, "--approver", "grace").Expect(t, 0)
	c.AwaitServed(production, after.Commit)
	c.AwaitSettled(production)
	c.CheckJournals(production)
	c.CheckDeployments(production)
}

// I13: a rewritten branch is deployed in development, and waits in staging until somebody says so.
func TestForcePush(t *testing.T) {
	t.Parallel()
	const staging = "staging"
	c := harness.Start(t, harness.Options{Environments: []string{development, staging}})
	lost := c.Repo.SetTitle(staging, "Lost")
	before := c.AwaitServed(staging, lost)
	c.AwaitServed(development, lost)
	c.AwaitSettled(staging)

	c.Repo.Git("reset", "-q", "--hard", "HEAD~1")
	c.Repo.SetTitle(development, "Rewritten")
	rewritten := c.Repo.SetTitle(staging, "Kept")
	c.AwaitServed(development, rewritten)
	d := awaitState(t, c, staging, rewritten, "AwaitingApproval")
	if !slices.ContainsFunc(d.ApprovalReasons, func(reason string) bool { return strings.Contains(reason, "force_push") }) {
		t.Errorf("approval is asked for because of %q", d.ApprovalReasons)
	}
	c.CLI("environment", "sync", staging).Expect(t, 0)
	if d := one(t, c, staging, rewritten); d.State != "AwaitingApproval" {
		t.Errorf("a sync without --lift-hold made it %s", d.State)
	}
	for _, n := range c.Nodes {
		if err := n.Serves(staging, before.GetActiveDigest()); err != nil {
			t.Error(err)
		}
	}
	c.CLI("environment", "sync", staging, "--lift-hold", "--approver", "grace").Expect(t, 0)
	c.AwaitServed(staging, rewritten)
	awaitState(t, c, staging, rewritten, "Completed")
	c.CheckJournals(staging)
	c.CheckJournals(development)
}
