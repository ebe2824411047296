//go:build system

package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/faults"
	"github.com/honua-io/honua-gitops/test/harness"
)

func flip(t *testing.T, path, text string) {
	t.Helper()
	_, err := faults.FlipIn(path, text)
	must(t, err)
}

// A flipped bit in what a node relies on keeps it from starting, and it says in which file and what to do; what it
// says repairs it. What it can repair itself it does, and says so.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	n := follower(c)
	data := filepath.Join(n.Dir, "cluster")

	for _, damage := range []struct {
		file string
		text func(e *pb.Environment) string
		says string
	}{
		{"raft.db", func(*pb.Environment) string { return harness.Author }, "the raft log is damaged: raft.db: entry"},
		{"journal.jsonl", (*pb.Environment).GetActiveDigest, "journal.jsonl: line"},
	} {
		t.Run(damage.file, func(t *testing.T) {
			e := c.AwaitServed(development, c.Repo.SetTitle(development, "before the damage to "+damage.file))
			n.Stop()
			flip(t, filepath.Join(data, damage.file), damage.text(e))
			n.Start()
			ends(t, n, damage.says, "move the data directory away and let this node join anew")
			goesOn(t, c, n, func() { must(t, os.Rename(data, filepath.Join(t.TempDir(), "damaged"))) })
		})
	}
	t.Run("a stored content", func(t *testing.T) {
		e := c.AwaitServed(development, c.Repo.SetTitle(development, "a content that is damaged"))
		stored := filepath.Join(data, "bundles", e.GetActiveDigest()+".bundle")
		n.Stop()
		must(t, faults.FlipBit(stored, 40, 3))
		before := len(n.Log())
		n.Start()
		n.AwaitReady()
		if err := n.Serves(development, e.GetActiveDigest()); err != nil {
			t.Error(err)
		}
		if said := n.Log()[before:]; !strings.Contains(said, "it is damaged") || !strings.Contains(said, e.GetActiveDigest()) {
			t.Error("nothing is said of it")
		}
		c.CLI("environment", "drift", development).Expect(t, 0)
	})
	t.Run("a state file", func(t *testing.T) {
		before := len(n.Log())
		flip(t, n.StateFile(development), `"environment"`)
		harness.Eventually(t, harness.StartWithin, func() error {
			state, err := n.State(development)
			if err == nil && (state.Environment != development || !strings.Contains(n.Log()[before:], n.StateFile(development))) {
				err = fmt.Errorf("%+v", state)
			}
			return err
		})
	})
}
