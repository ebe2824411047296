package acceptance

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/harness"
)

// A commit that adds a layer is served by every node, is one deployment, and is on record everywhere that operators
// look.
func TestCommitReachesEveryNodeOnce(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	before := c.Repo.Commits()[0]
	commit := c.Repo.AddLayer(development, "capitals")
	e := c.AwaitServed(development, commit)
	for _, n := range c.Nodes {
		ids, err := n.Collections(t.Context(), development)
		if err != nil || !slices.Equal(ids, c.Repo.Layers(development)) {
			t.Errorf("%s serves %v, %v", n.ID, ids, err)
		}
		r, err := n.Get(t.Context(), "/ogc/collections/capitals/items?limit=10")
		if err != nil || r.Code != http.StatusOK || strings.Count(string(r.Body), `"Feature"`) != 10 {
			t.Errorf("%s: %v, status %d: %.300s", n.ID, err, r.Code, r.Body)
		}
	}
	c.AwaitSettled(development)
	list := deployments(t, c, development)
	if len(list) != 2 {
		t.Fatalf("%d deployments for two commits", len(list))
	}
	d := list[0]
	if d.Commit != commit || d.State != "Completed" || d.Health != "Healthy" || d.SyncStatus != "Synced" ||
		!strings.Contains(d.Author, harness.Author) || d.Message != "Add layer capitals" || d.InitiatedBy != "GitWatcher" {
		t.Errorf("%+v", d)
	}
	if n := len(d.StateHistory); n < 3 || d.StateHistory[0].To != "Pending" || d.StateHistory[n-1].To != "Completed" {
		t.Errorf("state history %+v", d.StateHistory)
	}
	checkStateFiles(t, c, commit)
	checkJournals(t, c, e.GetActivationIndex(), commit)
	checkLogs(t, c, before, commit)
	c.AwaitEqualStates()
}

// The state files say on every node what the cluster says, and only their owner reads them.
func checkStateFiles(t *testing.T, c *harness.Cluster, commit string) {
	t.Helper()
	for _, n := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error {
			s, err := n.State(development)
			switch {
			case err != nil:
				return err
			case s.Environment != development || s.DeployedCommit != commit || s.LatestCommit != commit || s.Health != "Healthy" || s.SyncStatus != "Synced":
				return fmt.Errorf("%s: %+v", n.ID, s)
			case s.CurrentDeployment == nil || s.CurrentDeployment.State != "Completed" || s.CurrentDeployment.Branch != "main" || len(s.CurrentDeployment.StateHistory) < 3:
				return fmt.Errorf("%s: currentDeployment %+v", n.ID, s.CurrentDeployment)
			case s.LastSuccessfulDeployment == nil || s.LastSuccessfulDeployment.ID != s.CurrentDeployment.ID || len(s.History) != 2:
				return fmt.Errorf("%s: lastSuccessfulDeployment %+v, history %+v", n.ID, s.LastSuccessfulDeployment, s.History)
			}
			_, err = time.Parse(time.RFC3339, s.LastUpdated)
			return err
		})
		info, err := os.Stat(n.StateFile(development))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, mode %v", n.ID, err, info.Mode())
		}
	}
}

// Every node activated the commit exactly once, at the same index.
func checkJournals(t *testing.T, c *harness.Cluster, index uint64, commit string) {
	t.Helper()
	c.CheckJournals(development)
	for _, n := range c.Nodes {
		journal, err := n.Journal()
		if err != nil {
			t.Fatal(err)
		}
		var phases []node.Phase
		for _, entry := range journal {
			if entry.Commit != commit {
				continue
			}
			phases = append(phases, entry.Phase)
			if entry.ActivationIndex != index {
				t.Errorf("%s activated it at %d, not at %d", n.ID, entry.ActivationIndex, index)
			}
		}
		if !slices.Equal(phases, []node.Phase{node.Intent, node.Active}) {
			t.Errorf("%s journals %v", n.ID, phases)
		}
	}
}

// The lines that the runbook greps for: those of the watcher on the leader, those of the reconciliation on every node.
func checkLogs(t *testing.T, c *harness.Cluster, before, commit string) {
	t.Helper()
	var all strings.Builder
	for _, n := range c.Nodes {
		log := n.Log()
		all.WriteString(log)
		for _, line := range []string{
			"[Information] Starting reconciliation for environment 'development' at commit '" + commit + "'",
			"[Information] Reconciling environment-specific configuration from 'environments/development'",
			"[Information] Retrieving 'metadata' configuration from Git: environments/development/metadata.json",
			"[Debug] Successfully parsed JSON for 'metadata'",
			"[Information] Applying 'metadata' configuration for environment 'development'",
			"[Information] Reloading metadata registry from updated configuration",
			"[Information] Successfully reloaded metadata registry with 1 services",
			"[Information] Successfully reconciled 'metadata' for environment 'development'",
			"[Information] Successfully completed reconciliation for environment 'development' in ",
		} {
			if !strings.Contains(log, line) {
				t.Errorf("%s does not log %q", n.ID, line)
			}
		}
	}
	for _, line := range []string{
		"[Information] GitWatcher started. Watching branch 'main' every 1 seconds",
		"[Information] Initial commit: " + before,
		"[Debug] Polling for changes on branch 'main'",
		"[Information] Detected new commit: " + before + " -> " + commit,
		"[Information] Commit by: " + harness.Author,
		"[Information] Message: Add layer capitals",
		"[Information] Changed files: 1",
		"[Information] Found 2 relevant files for environment 'development'",
	} {
		if !strings.Contains(all.String(), line) {
			t.Errorf("nobody logs %q", line)
		}
	}
	harness.Eventually(t, harness.DeployWithin, func() error {
		for _, n := range c.Nodes {
			if strings.Contains(n.Log(), "[Debug] No new commits detected") {
				return nil
			}
		}
		return fmt.Errorf("nobody logs that there is no new commit")
	})
}

// What must not be served never is: the record says why, there is one, and the next good commit deploys.
func TestBadCommitsAreNeverServed(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	good := c.AwaitServed(development, c.Repo.Commits()[0])
	observer := harness.Observe(t.Context(), development, c.Nodes...)
	allowed := []string{good.GetActiveDigest()}
	for _, broken := range harness.BrokenCommits(t) {
		broken.Write(c.Repo, development)
		commit := c.Repo.Commit("Break it: " + broken.Name)
		d := awaitFailed(t, c, commit)
		if d.State != "Failed" {
			t.Fatalf("%s: %+v", broken.Name, d)
		}
		said := d.ErrorMessage + "\n" + strings.Join(d.Problems, "\n")
		for _, text := range broken.Says {
			if !strings.Contains(said, text) {
				t.Errorf("%s: the error does not say %q: %s", broken.Name, text, said)
			}
		}
		awaitPolls(t, c, 2)
		if again := one(t, c, development, commit); again.Attempts > 1 || again.ID != d.ID {
			t.Errorf("%s was tried again: %+v", broken.Name, again)
		}
		c.Repo.Mend(development)
		next := c.AwaitServed(development, c.Repo.SetTitle(development, "Cities after "+broken.Name))
		allowed = append(allowed, next.GetActiveDigest())
	}
	digests, requests, failures := observer.Stop()
	if len(failures) > 0 || requests < 100 {
		t.Errorf("%d of %d requests failed: %v", len(failures), requests, failures)
	}
	for _, digest := range digests {
		if !slices.Contains(allowed, digest) {
			t.Errorf("I6: %s was served, which was never good", digest)
		}
	}
	c.CheckJournals(development)
	c.CheckDeployments(development)
}

func awaitFailed(t *testing.T, c *harness.Cluster, commit string) (d deployment) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		list, err := find(t, c, development, commit)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("no deployment of %s", commit)
		}
		if d = list[0]; d.State != "Failed" && d.State != "Completed" {
			return fmt.Errorf("%s is %s", d.ID, d.State)
		}
		return nil
	})
	return d
}

// awaitPolls waits until the cluster has polled successfully so many times more.
func awaitPolls(t *testing.T, c *harness.Cluster, times int) {
	t.Helper()
	for range times {
		e, err := c.Environment(development)
		if err != nil {
			t.Fatal(err)
		}
		last := e.GetLastUpdated().AsTime()
		harness.Eventually(t, harness.DeployWithin, func() error {
			e, err := c.Environment(development)
			if err == nil && !e.GetLastUpdated().AsTime().After(last) {
				err = fmt.Errorf("no poll since %s", last)
			}
			return err
		})
	}
}
