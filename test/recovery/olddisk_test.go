package recovery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// A data directory that is put back from a copy is refused by the node itself, also after all others were restarted;
// emptied, the node joins as a learner and votes again.
func TestOldDiskIsRefused(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	n := c.Others(c.Leader())[0]
	disk, saved := filepath.Join(n.Dir, "cluster"), filepath.Join(c.Dir, "copy")
	n.Stop()
	replaceDirectory(t, disk, saved)
	n.Start()
	n.AwaitReady()
	for i := range 3 {
		mainJob(t, c, fmt.Sprint("later", i))
	}
	n.Stop()
	refused := func(when string) {
		replaceDirectory(t, saved, disk)
		before := len(n.Log())
		n.Start()
		harness.Eventually(t, harness.StartWithin, func() error {
			if n.Running() {
				return errors.New("it runs")
			}
			return nil
		})
		if said := n.Log()[before:]; !contains(said, "this data directory is an older copy", "empty Cluster.DataDirectory") || strings.Contains(said, "leadership won") {
			t.Errorf("%s it says\n%s", when, said)
		}
	}
	refused("while the others run")
	for _, other := range c.Others(n) {
		other.Stop()
	}
	for _, other := range c.Others(n) {
		other.Start()
	}
	for _, other := range c.Others(n) {
		other.AwaitReady()
	}
	refused("after the others were restarted")
	if err := os.RemoveAll(disk); err != nil {
		t.Fatal(err)
	}
	n.Start()
	n.AwaitReady()
	if s := serverNamed(clusterStatus(t, c), n.ID); s == nil || s.Voter {
		t.Errorf("it comes back as %+v, not as a learner", s)
	}
	harness.Eventually(t, harness.StartWithin, func() error {
		if s := serverNamed(clusterStatus(t, c), n.ID); s == nil || !s.Voter || !s.Healthy {
			return fmt.Errorf("it does not vote: %+v", s)
		}
		return nil
	})
	mainJob(t, c, "after")
}

// replaceDirectory makes one folder a copy of another.
func replaceDirectory(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
