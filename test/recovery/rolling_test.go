package recovery

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// rounds is how often TestRollingRestartUnderLoad restarts all nodes.
var rounds = flag.Int("rounds", 2, "how often all nodes are restarted under load")

const (
	writesPerSecond = 20
	readsPerSecond  = 200
)

// Three nodes are restarted one after another, again and again, by the command line: no write fails that the client
// does not hide by repeating it, and no read of a node that is up.
func TestRollingRestartUnderLoad(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	l, begun := startLoad(t, c), time.Now()
	for range *rounds {
		l.rollingRestart()
	}
	l.stop()
	took := time.Since(begun).Seconds()
	if l.writes.Load() == 0 || l.reads.Load() == 0 {
		t.Fatalf("%d writes, %d reads", l.writes.Load(), l.reads.Load())
	}
	for _, err := range l.failures {
		t.Error(err)
	}
	t.Logf("%d rounds in %.0f s: %d writes, the longest took %s, %d reads, %.0f a second",
		*rounds, took, l.writes.Load(), l.longest, l.reads.Load(), float64(l.reads.Load())/took)
	if n := len(audited(t, c, "environment.pause")); n != l.pauses {
		t.Errorf("I3: %d of %d pauses are on record", n, l.pauses)
	}
	c.AwaitEqualStates()
	c.CheckJournals("development")
}

// A rolling restart does not begin while a node is down, and ends at a node that is not restarted.
func TestRollingRestartEndsInTime(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	harness.Eventually(t, harness.StartWithin, func() error {
		r := c.CLI("cluster", "rolling-restart", "--within", "2s", "--command", "true")
		if r.Code != 3 || !contains(r.Err, "it was not restarted: its process is the one from before", "not begun: node") {
			return fmt.Errorf("code %d, %s", r.Code, r.Err)
		}
		return nil
	})
	if r := c.CLI("cluster", "rolling-restart", "--command", "exit 7"); r.Code != 1 || !contains(r.Err, "exit status 7") {
		t.Errorf("of a command that fails: code %d, %s", r.Code, r.Err)
	}
	down := c.Others(c.Leader())[0]
	down.Kill()
	marker := filepath.Join(c.Dir, "marker")
	r := c.CLI("cluster", "rolling-restart", "--command", "touch "+marker).Expect(t, 1)
	if !contains(r.Err, "nothing was restarted: "+down.ID) {
		t.Errorf("with a node down it says %q", r.Err)
	}
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the command was run: %v", err)
	}
	if r := c.CLI("cluster", "rolling-restart", "node9", "--command", "true"); r.Code != 1 || !contains(r.Err, `no node "node9"`) {
		t.Errorf("of an unknown node: code %d, %s", r.Code, r.Err)
	}
}

// load writes and reads at a steady rate.
type load struct {
	t       *testing.T
	c       *harness.Cluster
	cancel  context.CancelFunc
	work    sync.WaitGroup
	up      map[string]*atomic.Bool
	writes  atomic.Int64
	reads   atomic.Int64
	longest time.Duration
	// pauses is how many pauses were acknowledged.
	pauses int

	mu       sync.Mutex
	failures []error
}

func startLoad(t *testing.T, c *harness.Cluster) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{t: t, c: c, cancel: cancel, up: map[string]*atomic.Bool{}}
	t.Cleanup(l.stop)
	to, err := client.New(client.Config{Addresses: c.Addresses()})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes {
		l.up[n.ID] = &atomic.Bool{}
		l.up[n.ID].Store(true)
	}
	l.work.Go(func() { defer to.Close(); l.write(ctx, to) })
	l.work.Go(func() { l.read(ctx) })
	return l
}

func (l *load) stop() {
	l.cancel()
	l.work.Wait()
}

func (l *load) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, err)
}

// write pauses and resumes through a client of all nodes. Each is a new request: what the client repeats, it repeats
// under the same id.
func (l *load) write(ctx context.Context, to *client.Client) {
	tick := time.NewTicker(time.Second / writesPerSecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begun := time.Now()
		var err error
		if n%2 == 0 {
			_, err = to.Environments().PauseEnvironment(l.t.Context(), &pb.PauseEnvironmentRequest{Environment: "development", Reason: fmt.Sprint(n)})
			l.pauses++
		} else {
			_, err = to.Environments().ResumeEnvironment(l.t.Context(), &pb.ResumeEnvironmentRequest{Environment: "development", Reason: fmt.Sprint(n)})
		}
		if err != nil {
			l.failed(fmt.Errorf("write %d: %w", n, err))
		}
		l.writes.Add(1)
		l.longest = max(l.longest, time.Since(begun))
	}
}

// read asks the nodes that are up for features, in turns, so that those that are up take over what the others do not get.
func (l *load) read(ctx context.Context) {
	tick := time.NewTicker(time.Second / readsPerSecond)
	defer tick.Stop()
	var asked sync.WaitGroup
	defer asked.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		up := slices.DeleteFunc(slices.Clone(l.c.Nodes), func(n *harness.Node) bool { return !l.up[n.ID].Load() })
		if len(up) > 0 {
			asked.Go(func() { l.get(ctx, up[i%len(up)]) })
		}
	}
}

// get asks a node that is up: from when it is ready until it is told to stop.
func (l *load) get(ctx context.Context, n *harness.Node) {
	r, err := n.Get(ctx, "/ogc/collections/cities/items?limit=10")
	if err == nil && r.Code != http.StatusOK {
		err = fmt.Errorf("status %d: %s", r.Code, r.Body)
	}
	if err != nil && l.up[n.ID].Load() && ctx.Err() == nil {
		l.failed(fmt.Errorf("read of %s: %w", n.ID, err))
	}
	l.reads.Add(1)
}

// rollingRestart runs the command line, whose command has this test restart each node.
func (l *load) rollingRestart() {
	l.t.Helper()
	dir := l.t.TempDir()
	onRequest(l.t, l.c, dir, l.restart, func() harness.Result {
		return l.c.CLI("cluster", "rolling-restart", "--within", "1m", "--command", request(dir))
	}).Expect(l.t, 0)
}

// request is a command for sh that asks for the restart of a node by a file in a folder, and waits until it was done.
func request(dir string) string {
	return fmt.Sprintf(`: > '%s'/"$HONUA_NODE"; while [ -e '%s'/"$HONUA_NODE" ]; do sleep 0.05; done`, dir, dir)
}

// onRequest restarts the nodes that are asked for in a folder, until run returns.
func onRequest[R any](t *testing.T, c *harness.Cluster, dir string, restart func(*harness.Node), run func() R) R {
	t.Helper()
	ended := make(chan R, 1)
	go func() { ended <- run() }()
	for {
		select {
		case result := <-ended:
			return result
		default:
		}
		for _, n := range c.Nodes {
			asked := filepath.Join(dir, n.ID)
			if _, err := os.Stat(asked); err == nil {
				restart(n)
				if err := os.Remove(asked); err != nil {
					t.Fatal(err)
				}
			}
		}
		harness.Pause(t.Context(), 20*time.Millisecond)
	}
}

func (l *load) restart(n *harness.Node) {
	l.t.Helper()
	l.up[n.ID].Store(false)
	n.Stop()
	n.Start()
	n.AwaitReady()
	l.up[n.ID].Store(true)
}

func contains(text string, words ...string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}
