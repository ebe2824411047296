package recovery

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/test/harness"
)

// A build that knows one more format runs beside the current one, which it may lead. What the format brings stays off until
// every node knows it; then one entry of the log takes it into use (I11).
func TestMixedVersionsThenANewFormat(t *testing.T) {
	t.Parallel()
	next := harness.Build(t, "-tags", "honua_next_format")
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	format := settledFormat(t, c)
	backup := filepath.Join(c.Dir, "before.snap")
	c.CLI("cluster", "snapshot", "save", backup).Expect(t, 0)

	for i, n := range c.Nodes {
		n.Stop()
		n.Use(next)
		n.Start()
		n.AwaitReady()
		if i == len(c.Nodes)-1 {
			break
		}
		harness.Eventually(t, harness.StartWithin, func() error { return knows(clusterStatus(t, c), n.ID, format+1) })
		c.CLI("cluster", "transfer-leader", n.ID).Expect(t, 0) // the newer build leads the older ones
		mainJob(t, c, fmt.Sprint("mixed", i))
		checkMixed(t, c, format)
	}
	harness.Eventually(t, harness.StartWithin, func() error {
		if s := clusterStatus(t, c); s.Format != format+1 {
			return fmt.Errorf("in force is %d", s.Format)
		}
		return nil
	})
	mainJob(t, c, "upgraded")
	if details := pauses(t, c); details[len(details)-1] != fmt.Sprint("recorded in format ", format+1) {
		t.Errorf("the new feature is off: %q", details)
	}
	raised := slices.DeleteFunc(audited(t, c, "cluster.format"), func(r auditRecord) bool {
		return r.Detail != fmt.Sprintf("from %d to %d", format, format+1)
	})
	if len(raised) != 1 {
		t.Errorf("%d entries took the format into use", len(raised))
	}
	refuseOldBuild(t, c, next)
	// What the format before wrote is still read.
	c.CLI("cluster", "snapshot", "restore", backup, "--reason", "of the format before", "--yes").Expect(t, 0)
	c.AwaitReady()
	c.AwaitEqualStates()
}

// settledFormat waits until the newest format that the nodes know is in force.
func settledFormat(t *testing.T, c *harness.Cluster) uint32 {
	t.Helper()
	var format uint32
	harness.Eventually(t, harness.StartWithin, func() error {
		s := clusterStatus(t, c)
		format = s.Format
		for _, n := range c.Nodes {
			if err := knows(s, n.ID, format); err != nil {
				return err
			}
		}
		return nil
	})
	return format
}

func clusterStatus(t *testing.T, c *harness.Cluster) (status view.ClusterStatus) {
	t.Helper()
	c.CLI("cluster", "status", "-o", "json").Expect(t, 0).Decode(t, &status)
	return status
}

func serverNamed(status view.ClusterStatus, id string) *view.Server {
	for i := range status.Servers {
		if status.Servers[i].ID == id {
			return &status.Servers[i]
		}
	}
	return nil
}

func knows(status view.ClusterStatus, node string, format uint32) error {
	if s := serverNamed(status, node); s != nil && s.Format == format {
		return nil
	}
	return fmt.Errorf("%s does not know format %d: %+v", node, format, status.Servers)
}

// mainJob commits, deploys, and pauses and resumes at every node.
func mainJob(t *testing.T, c *harness.Cluster, layer string) {
	t.Helper()
	commit := c.Repo.AddLayer("development", layer)
	c.CLI("environment", "sync", "development").Expect(t, 0)
	c.AwaitServed("development", commit)
	for _, n := range c.Nodes {
		n.CLI("environment", "pause", "development", "--reason", "at "+n.ID).Expect(t, 0)
		n.CLI("environment", "resume", "development").Expect(t, 0)
	}
	c.AwaitEqualStates()
}

// checkMixed: what only some nodes could do nobody does, and the operator sees what is missing.
func checkMixed(t *testing.T, c *harness.Cluster, format uint32) {
	t.Helper()
	for _, detail := range pauses(t, c) {
		if strings.Contains(detail, fmt.Sprint("format ", format+1)) {
			t.Errorf("the new feature is on: %q", detail)
		}
	}
	if s := clusterStatus(t, c); s.Format != format {
		t.Errorf("format %d is in force", s.Format)
	}
	for _, n := range c.Nodes {
		if strings.Contains(n.Log(), "halted") {
			t.Errorf("%s halted", n.ID)
		}
	}
	out := c.CLI("cluster", "status").Expect(t, 0).Out
	if !strings.Contains(out, "stays off until every node knows it: upgrade node") || !strings.Contains(out, "node3") {
		t.Errorf("the status does not name who is to be upgraded:\n%s", out)
	}
}

type auditRecord struct {
	Sequence       uint64
	Action, Detail string
}

// audited are the records of an action, the oldest first.
func audited(t *testing.T, c *harness.Cluster, action string) []auditRecord {
	t.Helper()
	var list struct{ Records []auditRecord }
	c.CLI("audit", "list", "-o", "json", "--limit", "0").Expect(t, 0).Decode(t, &list)
	var found []auditRecord
	for _, r := range list.Records {
		if r.Action == action {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b auditRecord) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return found
}

func pauses(t *testing.T, c *harness.Cluster) []string {
	t.Helper()
	var details []string
	for _, r := range audited(t, c, "environment.pause") {
		details = append(details, r.Detail)
	}
	if len(details) == 0 {
		t.Fatal("nothing was paused")
	}
	return details
}

// refuseOldBuild: a node that is set back to a build which does not know the format in force ends with a clear
// message, on its own data directory and on an empty one, and is well again with the newer build.
func refuseOldBuild(t *testing.T, c *harness.Cluster, next string) {
	t.Helper()
	n := c.Nodes[1]
	n.Stop()
	n.Use(harness.Binary(t))
	for _, empty := range []bool{false, true} {
		if empty {
			if err := os.RemoveAll(filepath.Join(n.Dir, "cluster")); err != nil {
				t.Fatal(err)
			}
		}
		before := len(n.Log())
		n.Start()
		harness.Eventually(t, harness.StartWithin, func() error {
			if n.Running() {
				return fmt.Errorf("it runs")
			}
			return nil
		})
		said := n.Log()[before:]
		if !strings.Contains(said, "upgrade this node") && !strings.Contains(said, "install the version that the other nodes run") {
			t.Errorf("empty=%t: it does not say what to do:\n%s", empty, said)
		}
	}
	n.Use(next)
	n.Start()
	n.AwaitReady()
	c.AwaitEqualStates()
}
