package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// syncView is what `honua status` and `honua environment show` say of an environment.
type syncView struct {
	Name           string `json:"name"`
	SyncStatus     string `json:"syncStatus"`
	DeployedCommit string `json:"deployedCommit"`
	LatestCommit   string `json:"latestCommit"`
}

// awaitSync waits until every way to ask gives the same answer: the command line's two, and of each node its metrics
// over HTTP and its state file.
func awaitSync(t *testing.T, c *harness.Cluster, environment, status, deployed, latest string) {
	t.Helper()
	want := syncView{environment, status, deployed, latest}
	harness.Eventually(t, harness.DeployWithin, func() error {
		var whole struct{ Environments []syncView }
		var shown syncView
		if err := errors.Join(ask(t, c, &whole, "status"), ask(t, c, &shown, "environment", "show", environment)); err != nil {
			return err
		}
		if len(whole.Environments) != 1 || whole.Environments[0] != want || shown != want {
			return fmt.Errorf("status %+v, environment show %+v, not %+v", whole, shown, want)
		}
		return nil
	})
	gauge := fmt.Sprintf("honua_gitops_out_of_sync{environment=%q} %d", environment, map[string]int{"OutOfSync": 1}[status])
	for _, node := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error {
			metrics, err := node.Get(t.Context(), "/metrics")
			if err == nil && !bytes.Contains(metrics.Body, []byte(gauge)) {
				err = fmt.Errorf("%s has no metric %s", node.ID, gauge)
			}
			state, fileErr := node.State(environment)
			if fileErr == nil && (state.SyncStatus != status || state.DeployedCommit != deployed || state.LatestCommit != latest) {
				fileErr = fmt.Errorf("%s: %s of %s, latest %s", node.ID, state.SyncStatus, state.DeployedCommit, state.LatestCommit)
			}
			return errors.Join(err, fileErr)
		})
	}
	for _, command := range [][]string{{"status"}, {"environment", "show", environment}} {
		if out := c.CLI(command...).Expect(t, 0).Out; !strings.Contains(out, status) {
			t.Errorf("%v does not say %s:\n%s", command, status, out)
		}
	}
}

// ask decodes what a command answers; it is for waiting.
func ask(t *testing.T, c *harness.Cluster, into any, args ...string) error {
	t.Helper()
	r := c.CLI(append(args, "-o", "json")...)
	if r.Code != 0 {
		return errors.New(r.Err)
	}
	r.Decode(t, into)
	return nil
}

// What is deployed is not what Git asks for while the environment is paused, while a commit waits for approval and once
// it was rejected, which holds it; and it is again after the pause and the approval.
func TestSyncStatus(t *testing.T) {
	t.Parallel()
	const production = "production"
	c := harness.Start(t, harness.Options{Environments: []string{production}, Unready: true})
	first := c.Repo.Commits()[0]
	approve := func(commit string) {
		t.Helper()
		c.CLI("deployment", "approve", awaitState(t, c, production, commit, "AwaitingApproval").ID, "--approver", "grace").Expect(t, 0)
	}
	approve(first)
	awaitSync(t, c, production, "Synced", first, first)

	c.CLI("environment", "pause", production, "--reason", "not now", "--approver", "grace").Expect(t, 0)
	second := c.Repo.AddLayer(production, "rivers")
	awaitSync(t, c, production, "OutOfSync", first, second)
	approve(second)
	awaitState(t, c, production, second, "Pending")
	awaitSync(t, c, production, "OutOfSync", first, second)
	c.CLI("environment", "resume", production, "--approver", "grace").Expect(t, 0)
	awaitSync(t, c, production, "Synced", second, second)

	third := c.Repo.AddLayer(production, "lakes")
	d := awaitState(t, c, production, third, "AwaitingApproval")
	awaitSync(t, c, production, "OutOfSync", second, third)
	c.CLI("deployment", "reject", d.ID, "--reason", "not the lakes", "--approver", "grace").Expect(t, 0)
	awaitState(t, c, production, third, "Failed")
	awaitSync(t, c, production, "OutOfSync", second, third)
	c.CLI("deployment", "retry", d.ID, "--approver", "grace").Expect(t, 0)
	approve(third)
	awaitSync(t, c, production, "Synced", third, third)

	c.CLI("deployment", "rollback", "-e", production, "--reason", "the lakes are dry", "--approver", "grace").Expect(t, 0)
	awaitSync(t, c, production, "OutOfSync", second, third)
}
