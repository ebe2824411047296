package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestHealthDocuments(t *testing.T) {
	node, _ := serving(t)
	server, _ := newTestServer(t, node, after(5*time.Second))
	for path, file := range map[string]string{
		"/health/live": "live.json", "/health/ready": "ready.json", "/health/gitops": "gitops.json",
	} {
		answer := request(server, http.MethodGet, path)
		status200(t, answer)
		if kind := answer.Header().Get("Content-Type"); kind != "application/json" {
			t.Errorf("%s is %s", path, kind)
		}
		if stale := answer.Header().Get(StaleHeader); stale != "" {
			t.Errorf("%s is stale: %s", path, stale)
		}
		golden(t, file, answer.Body.Bytes())
	}
}

// Losing the leader or the repository never makes a node that serves unready (I14).
func TestReadiness(t *testing.T) {
	tests := []struct {
		name  string
		alter func(*testNode, *admintest.Node)
		at    time.Duration
		code  int
		stale string
		words string
	}{
		{"all is well", func(*testNode, *admintest.Node) {}, time.Second, 200, "", `"ready":true`},
		{"no leader", func(n *testNode, _ *admintest.Node) { n.contact.LeaderID = "" }, time.Second, 200, "no-leader", "bring a majority"},
		{"no quorum", func(n *testNode, _ *admintest.Node) { n.contact.HasQuorum = false }, time.Second, 200, "no-leader", "bring a majority"},
		{"no repository", func(n *testNode, c *admintest.Node) {
			poll(c, "connection refused")
			n.state = c.Store().State()
		}, time.Second, 200, "git-unavailable", "connection refused"},
		{"nobody polls", func(*testNode, *admintest.Node) {}, time.Hour, 200, "not-polled", "the last successful poll was at"},
		{"behind", func(n *testNode, c *admintest.Node) {
			c.Deploy("hills")
			n.state = c.Store().State()
		}, time.Second, 200, "behind", "serves activation 1, the newest is 2"},
		{"its disk hangs", func(n *testNode, _ *admintest.Node) { n.contact.Writing = 3 * time.Second }, time.Second, 200, "disk-hangs", "its disk hangs"},
		{"catching up", func(n *testNode, _ *admintest.Node) { n.contact.CaughtUp = false }, time.Second, 200, "catching-up", "reading what it missed"},
		{"from disk, before raft is up", func(n *testNode, _ *admintest.Node) {
			n.state, n.contact = fsm.New(), Contact{NodeID: "n1"}
		}, time.Second, 200, "no-leader", `"ready":true`},
		{"a backup that failed", func(n *testNode, _ *admintest.Node) {
			n.contact.Backups = &Backups{Directory: "/backups", Interval: time.Hour, Err: errors.New("no space left on device")}
		}, time.Second, 200, "", `"warnings":[{"code":"backup-failed","message":"the newest scheduled backup to /backups failed: no space left on device; there is none yet"`},
		{"no backup for long", func(n *testNode, _ *admintest.Node) {
			n.contact.Backups = &Backups{Directory: "/backups", Interval: time.Hour, LastSuccess: admintest.Epoch.Add(-3 * time.Hour)}
		}, time.Second, 200, "", `"status":"Degraded"`},
		{"a backup in time", func(n *testNode, _ *admintest.Node) {
			n.contact.Backups = &Backups{Directory: "/backups", Interval: time.Hour, LastSuccess: admintest.Epoch.Add(-time.Hour)}
		}, time.Second, 200, "", `"warnings":[]`},
		{"a file that cannot be written", func(n *testNode, _ *admintest.Node) { n.contact.Unwritten = "write f: no space left on device" },
			time.Second, 200, "", `"warnings":[{"code":"file-not-written","message":"a state or approval file cannot be written: write f: no space left on device"`},
		{"another settings file", func(n *testNode, _ *admintest.Node) { n.contact.DifferingSettings = []string{"GitOps.DryRun"} },
			time.Second, 200, "", `"warnings":[{"code":"settings-differ","message":"this node's settings file differs from what is in force in GitOps.DryRun"`},
		{"a settings file that was overruled", func(n *testNode, _ *admintest.Node) {
			n.contact.DifferingSettings, n.contact.Overruled = []string{"GitOps.DryRun"}, true
		}, time.Second, 200, "", `"warnings":[{"code":"settings-overruled"`},
		{"paused and held", func(n *testNode, c *admintest.Node) {
			c.Call(&pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{Environment: "development", Reason: "census"}}})
			n.state = c.Store().State()
		}, time.Second, 200, "", `"waiting":[{"code":"paused","message":"environment development is paused by `},
		{"not built yet", func(n *testNode, _ *admintest.Node) { n.serving = nil }, time.Second, 503, "", "activation 1 is not served by this node yet"},
		{"halted", func(n *testNode, _ *admintest.Node) { n.contact.Halted = errors.New("entry 7") }, time.Second, 503, "halted", "entry 7"},
		{"a new cluster", func(n *testNode, _ *admintest.Node) {
			n.state, n.serving = admintest.New(t).Store().State(), nil
		}, time.Second, 503, "", "no configuration has been activated"},
		{"an empty node", func(n *testNode, _ *admintest.Node) {
			n.state, n.serving, n.contact = fsm.New(), nil, Contact{NodeID: "n1"}
		}, time.Second, 503, "no-leader", "this node serves nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, cluster := serving(t)
			tt.alter(node, cluster)
			server, _ := newTestServer(t, node, after(tt.at))
			answer := request(server, http.MethodGet, "/health/ready")
			if answer.Code != tt.code || answer.Header().Get(StaleHeader) != tt.stale {
				t.Errorf("%d, stale %q", answer.Code, answer.Header().Get(StaleHeader))
			}
			if !strings.Contains(answer.Body.String(), tt.words) {
				t.Errorf("%s does not say %q", answer.Body, tt.words)
			}
			if live := request(server, http.MethodGet, "/health/live"); live.Code != 200 {
				t.Errorf("live: %d", live.Code)
			}
		})
	}
}

func TestGitopsHealth(t *testing.T) {
	const h, d, u = healthy, degraded, unhealthy
	tests := []struct {
		name                       string
		alter                      func(*testNode, *admintest.Node)
		at                         time.Duration
		watcher, repository, store status
	}{
		{"all is well", func(*testNode, *admintest.Node) {}, time.Second, h, h, h},
		{"no leader", func(n *testNode, _ *admintest.Node) { n.contact.LeaderID = "" }, time.Second, d, h, d},
		{"catching up", func(n *testNode, _ *admintest.Node) { n.contact.CaughtUp = false }, time.Second, h, h, d},
		{"halted", func(n *testNode, _ *admintest.Node) { n.contact.Halted = errors.New("entry 7") }, time.Second, h, h, u},
		{"no poll for three intervals", func(*testNode, *admintest.Node) {}, 91 * time.Second, d, h, h},
		{"the next poll is overdue", func(*testNode, *admintest.Node) {}, 3 * time.Minute, u, h, h},
		{"the last poll failed", func(n *testNode, c *admintest.Node) { poll(c, "gone"); n.state = c.Store().State() }, 10 * time.Second, h, d, h},
		{"polls fail for long", func(n *testNode, c *admintest.Node) { poll(c, "gone"); n.state = c.Store().State() }, 11 * time.Minute, u, u, h},
		{"never polled", func(n *testNode, _ *admintest.Node) { n.state = admintest.New(t).Store().State() }, time.Second, d, h, h},
		{"never polled with success", func(n *testNode, _ *admintest.Node) {
			c := admintest.New(t)
			poll(c, "refused")
			n.state = c.Store().State()
		}, time.Second, d, u, h},
		{"not initialised", func(n *testNode, _ *admintest.Node) { n.state = fsm.New() }, time.Second, d, h, d},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, cluster := serving(t)
			tt.alter(node, cluster)
			server, _ := newTestServer(t, node, after(tt.at))
			answer := request(server, http.MethodGet, "/health/gitops")
			var got struct {
				Status     string
				Components map[string]string
			}
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]status{"GitWatcher": tt.watcher, "GitRepository": tt.repository, "DeploymentStateStore": tt.store} {
				if got.Components[name] != want.String() {
					t.Errorf("%s is %s, want %s", name, got.Components[name], want)
				}
			}
			worst := max(tt.watcher, tt.repository, tt.store)
			if got.Status != worst.String() || answer.Code != codeOf(worst) {
				t.Errorf("%s with %d, want %s", got.Status, answer.Code, worst)
			}
		})
	}
}

// The header for features is the one of the readiness, and follows within a moment.
func TestStaleFollows(t *testing.T) {
	node, _ := serving(t)
	now := admintest.Epoch.Add(time.Second)
	health := NewHealth(node, func() time.Time { return now })
	if got := health.Stale("development"); got != "" {
		t.Errorf("stale %q", got)
	}
	node.contact.LeaderID = ""
	now = now.Add(glanceFor + time.Millisecond)
	if got := health.Stale("development"); got != "no-leader" {
		t.Errorf("stale %q", got)
	}
	if got := health.Stale("unheard-of"); got != "" {
		t.Errorf("stale %q", got)
	}
}
