//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/harness"
)

// Environment is what a node of a build with the tag chaos needs to be told to do its part in faults.
func Environment(n *harness.Node) []string {
	return []string{"HONUA_FAILPOINT_FILE=" + failpointFile(n), "HONUA_CLOCK_FILE=" + clockFile(n)}
}

func failpointFile(n *harness.Node) string { return filepath.Join(n.Dir, "failpoint") }
func clockFile(n *harness.Node) string     { return filepath.Join(n.Dir, "clock") }

// windowWithin is how long a node may take to come to a window of its code. Some are reached by a leader only.
const windowWithin = 6 * time.Second

// window has a node end itself in a window of its code, and starts it again.
func (d *Doer) window(ctx context.Context, a *history.Applied) error {
	a.Leader = a.Leader || strings.HasSuffix(a.Variant, "-propose") // nobody else does
	i, err := d.choose(a)
	if err != nil {
		return err
	}
	defer d.release(i)
	n := d.Cluster.Nodes[i]
	if err := replace(failpointFile(n), a.Variant); err != nil {
		return err
	}
	if strings.HasSuffix(a.Variant, "-vote") {
		defer d.unseat(ctx, i, a)()
	}
	reached := harness.Await(ctx, windowWithin, func() error {
		if n.Running() {
			return errors.New("it is still running")
		}
		return nil
	}) == nil
	if !reached && os.Remove(failpointFile(n)) == nil {
		a.Done, a.Note = false, "not reached"
		return nil
	}
	if !reached { // it took the file, so it is ending now
		n.Kill()
	}
	content, err := os.ReadFile(failpointFile(n) + ".reached")
	if lines := strings.Fields(string(content)); err != nil || lines[len(lines)-1] != a.Variant {
		a.Done, a.Note = false, fmt.Sprintf("it ended in another way: %v", err)
	}
	lasting(ctx, a)
	n.Start()
	return nil
}

// unseat kills the leader if it is another node, so that there is an election; the result starts it again.
func (d *Doer) unseat(ctx context.Context, but int, a *history.Applied) (back func()) {
	leader, _ := d.Leader()
	if leader < 0 || leader == but || !d.takeRunning(leader, a) {
		return func() {}
	}
	d.Cluster.Nodes[leader].Kill()
	return func() {
		lasting(ctx, a)
		d.Cluster.Nodes[leader].Start()
		d.release(leader)
	}
}

// misset makes a node's clock wrong for a while.
func (d *Doer) misset(ctx context.Context, a *history.Applied) error {
	target := a.Node
	if leader, _ := d.Leader(); a.Leader && leader >= 0 {
		target = leader
	}
	n := d.Cluster.Nodes[target]
	off, err := time.ParseDuration(a.Variant)
	if err != nil {
		return err
	}
	a.Hit, a.Done = []string{n.ID}, true
	if err := replace(clockFile(n), fmt.Sprint(int64(off.Seconds()))); err != nil {
		return err
	}
	lasting(ctx, a)
	return os.WriteFile(clockFile(n), nil, 0o600)
}

func replace(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Windows are the names of the windows, for a schedule.
func Windows() (names []string) {
	for _, w := range failpoint.Windows() {
		names = append(names, string(w))
	}
	return names
}
