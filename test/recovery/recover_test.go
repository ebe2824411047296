package recovery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// A majority of the disks is lost: one node goes on alone, and the others join it empty.
func TestRecoverALostMajority(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	served := c.AwaitServed("development", c.Repo.Commits()[0])
	survivor := c.Nodes[1]
	for _, n := range c.Nodes {
		n.Kill()
	}
	recover := []string{"cluster", "recover", "--config", survivor.SettingsFile()}
	asked := survivor.CLI(recover...).Expect(t, 1)
	if !strings.Contains(asked.Err, "Plan: node2 becomes the only member") || !strings.Contains(asked.Err, "Taken out       node1, node3") {
		t.Errorf("the plan says %q", asked.Err)
	}
	survivor.CLI(append(recover, "--yes")...).Expect(t, 0)
	survivor.Start()
	survivor.AwaitReady()
	if err := survivor.Serves("development", served.GetActiveDigest()); err != nil {
		t.Error(err)
	}
	for _, n := range c.Others(survivor) {
		if err := os.RemoveAll(filepath.Join(n.Dir, "cluster")); err != nil {
			t.Fatal(err)
		}
		n.Start()
	}
	c.AwaitReady()
	commit := c.Repo.AddLayer("development", "rivers")
	c.CLI("environment", "sync", "development").Expect(t, 0)
	c.AwaitServed("development", commit)
	c.AwaitEqualStates()
	running := survivor.CLI(append(recover, "--yes")...).Expect(t, 1)
	if !strings.Contains(running.Err, "another process is using") {
		t.Errorf("of a node that runs it says %q", running.Err)
	}
}
