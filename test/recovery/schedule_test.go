package recovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// keptBackups and backupInterval are what the tests' nodes are configured with.
const (
	keptBackups    = 3
	backupInterval = time.Second
)

func backupsOf(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "honua_*.snap"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// backupTime is when a backup was made, as its name has it.
func backupTime(t *testing.T, path string) time.Time {
	t.Helper()
	parts := strings.Split(filepath.Base(path), "_")
	at, err := time.Parse("20060102T150405.000Z", parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Nodes with a directory of their own, and nodes that share one, save by schedule, through the loss of a leader: never
// twice in an interval, no more files than asked for; an empty cluster restored from one has what was acknowledged.
func TestScheduledBackups(t *testing.T) {
	t.Parallel()
	shared := filepath.Join(t.TempDir(), "shared")
	own := map[string]string{}
	c := harness.Start(t, harness.Options{PollSeconds: 3600, Adjust: func(n *harness.Node, settings harness.Section) {
		own[n.ID] = shared
		if n.ID == "node3" {
			own[n.ID] = filepath.Join(n.Dir, "backups")
		}
		settings["Backup"] = harness.Section{"Directory": own[n.ID], "Interval": backupInterval.String(), "Keep": keptBackups}
	}})
	c.AwaitServed("development", c.Repo.Commits()[0])
	names := map[string]bool{}
	collect := func(least int) {
		harness.Eventually(t, harness.StartWithin, func() error {
			for _, path := range append(backupsOf(t, shared), backupsOf(t, own["node3"])...) {
				names[path] = true
			}
			if len(names) < least {
				return fmt.Errorf("%d backups", len(names))
			}
			return nil
		})
	}
	collect(2 * (keptBackups + 2))
	leader := c.Leader()
	leader.Kill()
	before := len(names)
	collect(before + 2)
	leader.Start()
	leader.AwaitReady()
	c.CLI("environment", "pause", "development", "--reason", "the last word").Expect(t, 0)
	collect(len(names) + 4)
	checkSpacing(t, names)
	for _, dir := range []string{shared, own["node3"]} {
		if n := len(backupsOf(t, dir)); n > keptBackups+1 { // one more while an old one is about to go
			t.Errorf("%s holds %d backups", dir, n)
		}
	}
	restoreNewest(t, c, own["node3"])
}

func checkSpacing(t *testing.T, names map[string]bool) {
	t.Helper()
	byDirectory := map[string][]time.Time{}
	for path := range names {
		dir := filepath.Dir(path)
		at := backupTime(t, path)
		for _, other := range byDirectory[dir] {
			if at.Sub(other).Abs() < backupInterval {
				t.Errorf("two backups within %s in %s: %s and %s", backupInterval, dir, other, at)
			}
		}
		byDirectory[dir] = append(byDirectory[dir], at)
	}
}

// restoreNewest stops the cluster and restores its newest backup on an empty one of the same repository.
func restoreNewest(t *testing.T, c *harness.Cluster, dir string) {
	t.Helper()
	for _, n := range c.Nodes {
		n.Stop()
	}
	found := backupsOf(t, dir)
	newest := found[len(found)-1] // the names sort as the times do
	if info, err := os.Stat(newest); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	to := harness.Start(t, harness.Options{Nodes: 1, Unready: true})
	to.Leader()
	to.CLI("cluster", "snapshot", "restore", newest, "--reason", "the disks were lost", "--yes", "--force").Expect(t, 0)
	harness.Eventually(t, harness.DeployWithin, func() error {
		e, err := to.Environment("development")
		if err == nil && e.GetPause().GetReason() != "the last word" {
			err = fmt.Errorf("the pause is %v", e.GetPause())
		}
		return err
	})
}

// A backup that cannot be made is told where an operator looks, and made once it can be.
func TestFailingBackupIsShown(t *testing.T) {
	t.Parallel()
	blocked := filepath.Join(t.TempDir(), "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := harness.Start(t, harness.Options{Nodes: 1, PollSeconds: 3600, Adjust: func(_ *harness.Node, settings harness.Section) {
		settings["Backup"] = harness.Section{"Directory": filepath.Join(blocked, "backups"), "Interval": "1s"}
	}})
	n := c.Nodes[0]
	harness.Eventually(t, harness.StartWithin, func() error {
		out := c.CLI("cluster", "status").Expect(t, 0).Out
		if !strings.Contains(out, "! node1: its backups to "+blocked) || !strings.Contains(out, "there is none yet") {
			return errors.New(out)
		}
		return nil
	})
	r, err := n.Get(t.Context(), "/health/ready")
	var ready struct {
		Status   string
		Warnings []struct{ Code, Message, Remedy string }
	}
	if err == nil {
		err = json.Unmarshal(r.Body, &ready)
	}
	if err != nil || r.Code != http.StatusOK || ready.Status != "Degraded" || len(ready.Warnings) != 1 || ready.Warnings[0].Code != "backup-failed" {
		t.Errorf("%v: %d %s", err, r.Code, r.Body)
	}
	if out := harness.CLI(t, nil, "health", "ready", "--http-address", n.HTTP).Expect(t, 0).Out; !strings.Contains(out, "! the newest scheduled backup") {
		t.Errorf("honua health says %q", out)
	}
	metrics, err := n.Get(t.Context(), "/metrics")
	if err != nil || !strings.Contains(string(metrics.Body), `honua_backup_attempts_total{result="saved"} 0`) {
		t.Errorf("the metrics lack the attempts: %v", err)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, harness.StartWithin, func() error {
		if out := c.CLI("cluster", "status").Expect(t, 0).Out; strings.Contains(out, "backups") {
			return errors.New(out)
		}
		return nil
	})
}
