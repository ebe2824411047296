package acceptance

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// Nodes are stopped in order, one after another, each in the middle of a deployment: the others answer every request,
// and no commit is deployed twice.
func TestRollingRestartDuringDeployments(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	random := seed(t)
	var h hints
	defer h.Wait()
	for i, n := range c.Nodes {
		observer := harness.Observe(t.Context(), development, c.Others(n)...)
		commit := c.Repo.SetTitle(development, "Cities "+strconv.Itoa(i))
		h.give(t.Context(), c)
		harness.Pause(t.Context(), between(random, 0, 200*time.Millisecond))
		n.Stop()
		c.AwaitServed(development, commit)
		n.Start()
		n.AwaitReady()
		c.AwaitServed(development, commit)
		c.AwaitSettled(development)
		if _, requests, failures := observer.Stop(); len(failures) > 0 || requests == 0 {
			t.Errorf("while %s restarted, %d of %d requests to the others failed: %v", n.ID, len(failures), requests, failures)
		}
		one(t, c, development, commit)
	}
	if list := deployments(t, c, development); len(list) != len(c.Nodes)+1 {
		t.Errorf("%d deployments for %d commits", len(list), len(c.Nodes)+1)
	}
	c.CheckJournals(development)
	c.CheckDeployments(development)
}

// I14: any node takes reads and writes. Without a majority a write is refused in time, with the reason; serving goes
// on, also after a restart; with a majority, writes go on.
func TestQuorumLostAndFound(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	for _, n := range c.Nodes {
		n.CLI("deployment", "list").Expect(t, 0)
		n.CLI("environment", "pause", development, "--reason", "asked through "+n.ID).Expect(t, 0)
		n.CLI("environment", "resume", development).Expect(t, 0)
	}
	e := c.AwaitServed(development, c.Repo.Commits()[0])
	left := c.Others(c.Leader())[0]
	for _, n := range c.Others(left) {
		n.Kill()
	}
	checkRefused := func() {
		t.Helper()
		r := left.CLI("environment", "pause", development, "--reason", "nobody hears it", "--timeout", "3s").Expect(t, 5)
		if !strings.Contains(r.Err, "no quorum") || r.Took > 10*time.Second {
			t.Errorf("after %s: %s", r.Took, r.Err)
		}
	}
	checkRefused()
	status := left.CLI("cluster", "status").Expect(t, 0).Out
	if !strings.Contains(status, "NO LEADER: 2 voters have to reach each other") || !strings.Contains(status, "! no leader: start nodes") || strings.Contains(status, "honua cluster remove") {
		t.Errorf("without a quorum cluster status says\n%s", status)
	}
	if err := left.Serves(development, e.GetActiveDigest()); err != nil {
		t.Error(err)
	}
	left.Kill()
	left.Start()
	left.AwaitReady()
	status = left.CLI("status").Expect(t, 0).Out
	if !strings.Contains(status, "! "+left.ID+": runs, and reads its log once there is a leader") || strings.Contains(status, "honua cluster remove") {
		t.Errorf("started without a quorum it says\n%s", status)
	}
	if err := left.Serves(development, e.GetActiveDigest()); err != nil {
		t.Error(err)
	}
	r, err := left.Get(t.Context(), "/ogc/collections/cities/items?limit=3")
	if err != nil || r.Code != http.StatusOK || r.Header.Get("Honua-Stale") == "" {
		t.Errorf("%v, status %d, Honua-Stale %q", err, r.Code, r.Header.Get("Honua-Stale"))
	}
	checkRefused()
	for _, n := range c.Others(left) {
		n.Start()
	}
	c.AwaitReady()
	c.Leader()
	left.CLI("environment", "pause", development, "--reason", "they are back").Expect(t, 0)
	left.CLI("environment", "resume", development).Expect(t, 0)
	c.AwaitServed(development, c.Repo.AddLayer(development, "capitals"))
	c.CheckJournals(development)
	c.AwaitEqualStates()
}

// A repository that is gone changes nothing but what the nodes say of it; when it is back, so are the polls.
func TestRepositoryDisappears(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	e := c.AwaitServed(development, c.Repo.Commits()[0])
	observer := harness.Observe(t.Context(), development, c.Nodes...)
	back := c.Repo.Hide()
	awaitGitOps(t, c, "Degraded")
	before := lastUpdated(t, c)
	commit := c.Repo.AddLayer(development, "capitals")
	harness.Pause(t.Context(), 3*time.Second) // what has stopped has to stay so
	if after := lastUpdated(t, c); after != before {
		t.Errorf("lastUpdated went from %s to %s while nothing could be polled", before, after)
	}
	digests, requests, failures := observer.Stop()
	if len(failures) > 0 || requests == 0 || len(digests) != 1 || digests[0] != e.GetActiveDigest() {
		t.Errorf("%d of %d requests failed: %v; served was %v", len(failures), requests, failures, digests)
	}
	back()
	c.AwaitServed(development, commit)
	awaitGitOps(t, c, "Healthy")
	one(t, c, development, commit)
	harness.Eventually(t, harness.DeployWithin, func() error {
		if lastUpdated(t, c) == before {
			return fmt.Errorf("lastUpdated is still %s", before)
		}
		return nil
	})
}

func awaitGitOps(t *testing.T, c *harness.Cluster, status string) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		for _, n := range c.Nodes {
			found, err := n.GitOpsHealth(t.Context())
			if err != nil {
				return err
			}
			if found != status {
				return fmt.Errorf("/health/gitops of %s says %s, not %s", n.ID, found, status)
			}
		}
		return nil
	})
}

// lastUpdated is what all nodes' state files say; it has to be the same.
func lastUpdated(t *testing.T, c *harness.Cluster) (value string) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		value = ""
		for _, n := range c.Nodes {
			s, err := n.State(development)
			if err != nil {
				return err
			}
			if value != "" && s.LastUpdated != value {
				return fmt.Errorf("lastUpdated is %s and, on %s, %s", value, n.ID, s.LastUpdated)
			}
			value = s.LastUpdated
		}
		return nil
	})
	return value
}

// I17: whatever becomes of the branch, what is served stays, and the next good commit deploys.
func TestNothingFromGitDeletesAnything(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	observer := harness.Observe(t.Context(), development, c.Nodes...)
	allowed := 1
	next := func(what string) {
		t.Helper()
		c.AwaitServed(development, c.Repo.SetTitle(development, "Cities after "+what))
		awaitGitOps(t, c, "Healthy")
		allowed++
	}

	c.Repo.Git("checkout", "-q", "-b", "elsewhere")
	c.Repo.Git("branch", "-q", "-D", "main")
	awaitGitOps(t, c, "Degraded")
	c.Repo.Git("checkout", "-q", "-b", "main")
	next("a deleted branch")

	c.Repo.Git("rm", "-q", "-r", "environments/development")
	commit := c.Repo.Commit("Empty the environment")
	if d := awaitFailed(t, c, commit); d.State != "Failed" {
		t.Errorf("an emptied environment is %+v", d)
	}
	c.Repo.Mend(development)
	next("an emptied environment")

	fill := c.Repo.Empty()
	awaitGitOps(t, c, "Degraded")
	fill()
	next("an empty repository")

	digests, requests, failures := observer.Stop()
	if len(failures) > 0 || requests == 0 || len(digests) != allowed {
		t.Errorf("%d of %d requests failed: %v; %d contents were served, not %d", len(failures), requests, failures, len(digests), allowed)
	}
	c.CheckJournals(development)
	c.CheckDeployments(development)
}
