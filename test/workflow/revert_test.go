package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

const development = "development"

// A revert in Git is a commit like any other: it deploys what an earlier one had. (Where a removed layer needs an
// approval, so does this one.)
func TestRevertInGitDeploys(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Environments: []string{development}})
	first := c.AwaitServed(development, c.Repo.Commits()[0])
	added := c.Repo.AddLayer(development, "capitals")
	c.AwaitServed(development, added)
	c.Repo.Git("revert", "--no-edit", added)
	reverted := c.Repo.Git("rev-parse", "HEAD")
	if e := c.AwaitServed(development, reverted); e.GetActiveDigest() != first.GetActiveDigest() {
		t.Errorf("the revert serves %s, not what was served first, %s", e.GetActiveDigest(), first.GetActiveDigest())
	}
	d := await(t, c, development, reverted, complete)
	if d.GetInitiatedBy() != "GitWatcher" || !strings.HasPrefix(d.GetMessage(), "Revert ") {
		t.Errorf("initiated by %s: %q", d.GetInitiatedBy(), d.GetMessage())
	}
	checkKinds(t, c, d, []string{"deploy", "deploy", "deploy"})
	c.CheckJournals(development)
}

// A rollback takes its content from the log: it works while the repository is away, and so does a restart of
// everything. What was rolled away from does not come back with the repository.
func TestRollbackWithoutTheRepository(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Environments: []string{staging}})
	first := c.AwaitServed(staging, c.Repo.Commits()[0])
	added := c.Repo.AddLayer(staging, "capitals")
	c.AwaitServed(staging, added)
	back := c.Repo.Hide()
	c.CLI("deployment", "rollback", "-e", staging, "--reason", "capitals are wrong").Expect(t, 0)
	serves := func() error {
		for _, n := range c.Nodes {
			if layers, err := n.Collections(t.Context(), staging); err != nil || slices.Contains(layers, "capitals") {
				return fmt.Errorf("%s serves %v: %w", n.ID, layers, err)
			}
			if err := n.Serves(staging, first.GetActiveDigest()); err != nil {
				return err
			}
		}
		return nil
	}
	harness.Eventually(t, harness.DeployWithin, serves)
	for _, n := range c.Nodes {
		n.Kill()
	}
	for _, n := range c.Nodes {
		n.Start()
	}
	c.AwaitReady()
	harness.Eventually(t, harness.StartWithin, serves)
	back()
	harness.Eventually(t, harness.StartWithin, func() error {
		if r := c.CLI("environment", "sync", staging); r.Code != 1 || !strings.Contains(r.Err, "rolled back") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
	d := await(t, c, staging, added, rolled)
	checkKinds(t, c, d, []string{"deploy", "deploy", "rollback"})
	if err := serves(); err != nil {
		t.Error(err)
	}
	c.CheckJournals(staging)
}
