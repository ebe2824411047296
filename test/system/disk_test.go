//go:build system

package system

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/faults"
	"github.com/honua-io/honua-gitops/test/harness"
)

// onDisks starts a cluster whose nodes keep their data on disks of their own, by id.
func onDisks(t *testing.T) (*harness.Cluster, map[string]*faults.Disk) {
	t.Helper()
	disks := map[string]*faults.Disk{}
	c := harness.Start(t, harness.Options{Adjust: func(n *harness.Node, _ harness.Section) {
		d, err := faults.NewDisk(n.Dir, "cluster", 96)
		must(t, err)
		t.Cleanup(func() { must(t, d.Close()) })
		disks[n.ID] = d
	}})
	return c, disks
}

func logOf(n *harness.Node) string { return filepath.Join(n.Dir, "cluster", "raft.db") }

// inject has a fault begin in a running node; it ends with the test at the latest.
func inject(t *testing.T, n *harness.Node, fault faults.Fault) *faults.Injection {
	t.Helper()
	injection, err := faults.Inject(n.PID(), fault, t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = injection.Stop() })
	return injection
}

// follower is a node that does not lead.
func follower(c *harness.Cluster) *harness.Node { return c.Others(c.Leader())[0] }

// ends waits until a node's process has ended by itself, and checks what it said last.
func ends(t *testing.T, n *harness.Node, says ...string) {
	t.Helper()
	harness.Eventually(t, harness.StartWithin, func() error {
		if n.Running() {
			return fmt.Errorf("%s runs on", n.ID)
		}
		return nil
	})
	for _, text := range says {
		if !strings.Contains(n.Log(), text) {
			t.Errorf("%s ended and does not say %q", n.ID, text)
		}
	}
}

// goesOn checks that the cluster deploys without one of its nodes, and with it once it is repaired.
func goesOn(t *testing.T, c *harness.Cluster, n *harness.Node, repair func()) {
	t.Helper()
	servedBy(t, c, c.Repo.SetTitle(development, "without "+n.ID+" "+t.Name()), c.Others(n)...)
	repair()
	if !n.Running() {
		n.Start()
	}
	n.AwaitReady()
	c.AwaitServed(development, c.Repo.SetTitle(development, "with "+n.ID+" "+t.Name()))
	c.AwaitEqualStates()
}

// servedBy waits until some of the nodes serve a commit; what the others do is of no matter.
func servedBy(t *testing.T, c *harness.Cluster, commit string, nodes ...*harness.Node) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		e, err := c.Environment(development)
		if err == nil && e.GetDeployedCommit() != commit {
			err = fmt.Errorf("%.8s is deployed, not %.8s", e.GetDeployedCommit(), commit)
		}
		for _, n := range nodes {
			if err == nil {
				err = n.Serves(development, e.GetActiveDigest())
			}
		}
		return err
	})
}

// A disk that fails, is full or read-only ends the node that has it, which says so; nothing is written again after a
// write that failed, and the others go on.
func TestFailingDisk(t *testing.T) {
	c, disks := onDisks(t)
	t.Run("fsync of the leader", func(t *testing.T) {
		n := c.Leader()
		fault := inject(t, n, faults.FailSync(logOf(n)))
		c.Repo.SetTitle(development, "a commit that the disk does not take")
		ends(t, n, "a write to this node's disk failed: raft.db", "input/output error", "ends its process")
		if hits, err := fault.Hits(); err != nil || hits != 1 {
			t.Errorf("a failed fsync was tried again: %d, %v", hits, err)
		}
		goesOn(t, c, n, func() {})
	})
	t.Run("fsync of the journal", func(t *testing.T) {
		n := follower(c)
		inject(t, n, faults.FailSync(filepath.Join(n.Dir, "cluster", "journal.jsonl")))
		c.Repo.SetTitle(development, "an activation that cannot be journalled")
		ends(t, n, "the activation journal", "input/output error")
		goesOn(t, c, n, func() {})
	})
	t.Run("full", func(t *testing.T) {
		n := follower(c)
		must(t, disks[n.ID].Fill())
		c.Repo.SetTitle(development, "a commit that has no room")
		ends(t, n, "a write to this node's disk failed", "no space left on device")
		goesOn(t, c, n, func() { must(t, disks[n.ID].MakeRoom()) })
	})
	t.Run("read-only", func(t *testing.T) {
		n := follower(c)
		must(t, disks[n.ID].MakeReadOnly())
		c.Repo.SetTitle(development, "a commit that must not be written")
		ends(t, n, "a write to this node's disk failed", "read-only file system")
		goesOn(t, c, n, func() { must(t, disks[n.ID].Restore()) })
	})
}

// A disk that hangs: a leader ends, a follower is left behind and says why; a process or a machine that stands still
// for a while is no hanging disk.
func TestHangingDisk(t *testing.T) {
	c := harness.Start(t, harness.Options{})
	t.Run("of a follower", func(t *testing.T) {
		n := follower(c)
		fault := inject(t, n, faults.HangSync(logOf(n), time.Hour))
		servedBy(t, c, c.Repo.SetTitle(development, "while a follower hangs"), c.Others(n)...)
		harness.Eventually(t, harness.StartWithin, func() error {
			r, err := n.Get(t.Context(), "/health/ready")
			if err == nil && !strings.Contains(r.Header.Get("Honua-Stale"), "disk-hangs") {
				err = fmt.Errorf("%d: %s", r.Code, r.Body)
			}
			return err
		})
		goesOn(t, c, n, func() { must(t, fault.Stop()) })
	})
	t.Run("of the leader", func(t *testing.T) {
		n := c.Leader()
		fault := inject(t, n, faults.HangSync(logOf(n), time.Hour))
		c.Repo.SetTitle(development, "while the leader hangs")
		harness.Eventually(t, harness.StartWithin, func() error {
			if !strings.Contains(n.Log(), "ends its process") {
				return fmt.Errorf("%s goes on leading", n.ID)
			}
			return nil
		})
		must(t, fault.Stop())
		ends(t, n, "the leader's log is stalled", "the disk may hang")
		goesOn(t, c, n, func() {})
	})
	t.Run("a stopped process is none", func(t *testing.T) {
		standStill(t, c, c.Leader())
	})
	t.Run("a suspended machine is none", func(t *testing.T) {
		standStill(t, c, c.Nodes...)
	})
}

// stillFor is longer than the watchdog has patience.
const stillFor = 4 * time.Second

// standStill stops processes for a while; all of them go on afterwards.
func standStill(t *testing.T, c *harness.Cluster, nodes ...*harness.Node) {
	t.Helper()
	for _, n := range nodes {
		must(t, syscall.Kill(n.PID(), syscall.SIGSTOP))
	}
	harness.Pause(t.Context(), stillFor)
	for _, n := range nodes {
		must(t, syscall.Kill(n.PID(), syscall.SIGCONT))
	}
	c.AwaitServed(development, c.Repo.SetTitle(development, "after "+t.Name()))
	for _, n := range c.Nodes {
		if !n.Running() || strings.Contains(n.Log()[lastStart(n):], "the watchdog ends this process") {
			t.Errorf("%s: the watchdog took a stopped process for a hanging disk", n.ID)
		}
	}
	c.AwaitEqualStates()
}

// lastStart is where the log of a node's present life begins.
func lastStart(n *harness.Node) int {
	return strings.LastIndex(n.Log(), "Honua GitOps starting")
}

// acknowledged are the reasons of pauses that the cluster acknowledged.
type acknowledged struct {
	mu      sync.Mutex
	reasons []string
}

// writeUntil has clients write, one after another, until stop is closed.
func (a *acknowledged) writeUntil(t *testing.T, c *harness.Cluster, stop <-chan struct{}) (done func()) {
	client := c.Client()
	var writers sync.WaitGroup
	var count atomic.Int64
	for range 4 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				reason := fmt.Sprintf("write %d", count.Add(1))
				_, err := client.Environments().PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{Environment: development, Reason: reason})
				if err == nil {
					a.mu.Lock()
					a.reasons = append(a.reasons, reason)
					a.mu.Unlock()
				}
			}
		})
	}
	return writers.Wait
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.reasons)
}

// more waits until more writes are acknowledged.
func (a *acknowledged) more(t *testing.T, n int) {
	t.Helper()
	want := a.count() + n
	harness.Eventually(t, harness.StartWithin, func() error {
		if got := a.count(); got < want {
			return fmt.Errorf("%d writes acknowledged, not %d", got, want)
		}
		return nil
	})
}

// recorded counts the audit records of each reason.
func recorded(t *testing.T, c *harness.Cluster) map[string]int {
	t.Helper()
	found := map[string]int{}
	request := &pb.ListAuditRecordsRequest{PageSize: 1000}
	for {
		page, err := c.Client().Audit().ListAuditRecords(t.Context(), request)
		must(t, err)
		for _, r := range page.GetRecords() {
			found[r.GetReason()]++
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return found
		}
	}
}

// Power fails on one node, then on all of them at once, while clients write: everything that was acknowledged is there
// afterwards, exactly once (I3), on all nodes alike (I11).
func TestPowerLoss(t *testing.T) {
	c, disks := onDisks(t)
	stop := make(chan struct{})
	var acks acknowledged
	done := acks.writeUntil(t, c, stop)
	acks.more(t, 50)
	one := c.Leader()
	fail := func(nodes ...*harness.Node) {
		t.Helper()
		for _, n := range nodes {
			must(t, disks[n.ID].CutPower())
		}
		for _, n := range nodes {
			n.Kill()
		}
	}
	restore := func(nodes ...*harness.Node) {
		t.Helper()
		for _, n := range nodes {
			must(t, disks[n.ID].Restore())
			n.Start()
		}
	}
	fail(one)
	acks.more(t, 50) // the others go on
	restore(one)
	one.AwaitReady()
	acks.more(t, 50)
	fail(c.Nodes...)
	close(stop)
	restore(c.Nodes...)
	c.AwaitReady()
	done()
	found := recorded(t, c)
	for _, reason := range acks.reasons {
		if found[reason] != 1 {
			t.Errorf("I3: %q was acknowledged and is recorded %d times", reason, found[reason])
		}
	}
	t.Logf("%d acknowledged writes", len(acks.reasons))
	c.CLI("audit", "verify").Expect(t, 0)
	c.CLI("environment", "resume", development).Expect(t, 0)
	c.AwaitServed(development, c.Repo.SetTitle(development, "after the power came back"))
	c.AwaitEqualStates()
	c.CheckJournals(development)
}
