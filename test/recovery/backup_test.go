package recovery

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// approved starts a cluster and approves what its repository begins with.
func approved(t *testing.T, nodes int) (*harness.Cluster, *pb.Environment) {
	t.Helper()
	c := harness.Start(t, harness.Options{Nodes: nodes, Environments: []string{production}, Unready: true})
	var id string
	harness.Eventually(t, harness.StartWithin, func() error {
		e, err := c.Environment(production)
		if d := e.GetCurrentDeployment(); err == nil && d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL {
			err = fmt.Errorf("nothing awaits approval: %v", d.GetState())
		}
		id = e.GetCurrentDeployment().GetId()
		return err
	})
	c.CLI("deployment", "approve", id, "--approver", "grace").Expect(t, 0)
	return c, c.AwaitServed(production, c.Repo.Commits()[0])
}

type inspected struct {
	StateHash, ClusterID string
	Index, Epoch         uint64
}

// saveState saves a snapshot of a cluster of one node, and checks that it holds the very state that the node has (I11).
func saveState(t *testing.T, c *harness.Cluster, path string) (saved inspected) {
	t.Helper()
	harness.Eventually(t, harness.StartWithin, func() error {
		c.CLI("cluster", "snapshot", "save", path, "-o", "json").Expect(t, 0).Decode(t, &saved)
		index, hash, err := c.Nodes[0].StateHash(t.Context())
		if err == nil && index != saved.Index {
			err = fmt.Errorf("the node is at index %d, the snapshot at %d", index, saved.Index)
		}
		if err == nil && hash != saved.StateHash {
			t.Errorf("I11: at index %d the node has %s, the snapshot %s", index, hash, saved.StateHash)
		}
		return err
	})
	return saved
}

// A snapshot of one cluster, restored on an empty one: history, approvals, audit chain and what is served are there.
func TestRestoreOnAnEmptyCluster(t *testing.T) {
	t.Parallel()
	from, served := approved(t, 1)
	path := filepath.Join(from.Dir, "backup.snap")
	saved := saveState(t, from, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	to := harness.Start(t, harness.Options{Environments: []string{production}, Unready: true})
	to.Leader()
	to.CLI("cluster", "snapshot", "restore", path, "--reason", "the disks were lost").Expect(t, 1) // nobody confirms
	to.CLI("cluster", "snapshot", "restore", path, "--reason", "the disks were lost", "--yes").Expect(t, 0)

	var after *pb.Environment
	harness.Eventually(t, harness.DeployWithin, func() (err error) {
		if after, err = to.Environment(production); err != nil {
			return err
		}
		for _, n := range to.Nodes {
			if err := n.Serves(production, served.GetActiveDigest()); err != nil {
				return err
			}
		}
		return nil
	})
	if after.GetActivationIndex() <= served.GetActivationIndex() {
		t.Errorf("I4: activation %d after %d", after.GetActivationIndex(), served.GetActivationIndex())
	}
	show := to.CLI("deployment", "show", served.GetActiveDeploymentId(), "-o", "json").Expect(t, 0).Out
	if !strings.Contains(show, `"approver": "grace"`) {
		t.Errorf("the approval is gone:\n%s", show)
	}
	if out := to.CLI("audit", "list", "-o", "json", "--limit", "0").Expect(t, 0).Out; !strings.Contains(out, saved.StateHash) || !strings.Contains(out, "deployment.approve") {
		t.Errorf("the audit does not show the cut, or what was before it")
	}
	to.CLI("audit", "verify").Expect(t, 0)
	to.AwaitEqualStates()
	for _, n := range to.Nodes {
		n.Kill()
		n.Start()
	}
	to.AwaitReady()
	to.AwaitEqualStates()
	to.CLI("cluster", "snapshot", "restore", path, "--reason", "again", "--yes").Expect(t, 1) // it is another cluster's now
}

// A running cluster goes back to its own backup; a damaged one changes nothing.
func TestRestoreOnARunningCluster(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	first := c.AwaitServed("development", c.Repo.Commits()[0])
	path := filepath.Join(c.Dir, "backup.snap")
	c.CLI("cluster", "snapshot", "save", path).Expect(t, 0)
	commit := c.Repo.AddLayer("development", "rivers")
	c.CLI("environment", "sync", "development").Expect(t, 0)
	second := c.AwaitServed("development", commit)

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	damaged := filepath.Join(c.Dir, "damaged.snap")
	if err := os.WriteFile(damaged, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := c.CLI("cluster", "snapshot", "inspect", damaged).Expect(t, 1); !strings.Contains(out.Err, "damaged.snap: the snapshot is damaged") {
		t.Errorf("it says %q", out.Err)
	}
	c.CLI("cluster", "snapshot", "restore", damaged, "--reason", "r", "--yes").Expect(t, 1)
	c.CLI("environment", "pause", "--all", "--reason", "the restore").Expect(t, 0)
	c.CLI("cluster", "snapshot", "restore", path, "--reason", "rivers was a mistake", "--yes").Expect(t, 0)
	harness.Eventually(t, harness.DeployWithin, func() error {
		for _, n := range c.Nodes {
			if err := n.Serves("development", first.GetActiveDigest()); err != nil {
				return err
			}
		}
		return nil
	})
	after, err := c.Environment("development")
	if err != nil || after.GetActivationIndex() <= second.GetActivationIndex() {
		t.Errorf("I4: %v after %v, %v", after.GetActivationIndex(), second.GetActivationIndex(), err)
	}
	c.AwaitEqualStates()
}
