package recovery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/pages"
)

// A majority of the disks is lost: one node goes on alone, and the others join it empty. Then one of them is damaged, and comes
// back empty too. Both as the documentation has it.
func TestRecoverALostMajority(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	served := c.AwaitServed("development", c.Repo.Commits()[0])
	survivor := c.Nodes[1]
	for _, n := range c.Nodes {
		n.Kill()
	}
	shell, _ := machine(t, c, survivor)
	command := pages.Marked(t, "recover")[0].Commands()[0]
	asked, err := shell.Run(t, command)
	if err == nil || !strings.Contains(asked, "Plan: node2 becomes the only member") || !strings.Contains(asked, "Taken out       node1, node3") {
		t.Errorf("without an answer: %v, %q", err, asked)
	}
	shell.Input = "yes\n"
	typeAll(t, shell, "recover")
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
	if said, err := shell.Run(t, command); err == nil || !strings.Contains(said, "another process is using") {
		t.Errorf("of a node that runs: %v, %q", err, said)
	}
	repair(t, c, c.Others(survivor)[0])
}
