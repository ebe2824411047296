package web

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

var update = flag.Bool("update", false, "write the golden files")

// testNode is a node whose parts a test sets.
type testNode struct {
	state   *fsm.State
	contact Contact
	serving []Served
	drift   []Drift
}

func (n *testNode) State() *fsm.State { return n.state }
func (n *testNode) Contact() Contact  { return n.contact }
func (n *testNode) Serving() []Served { return n.serving }
func (n *testNode) Drift() []Drift    { return n.drift }

// leading is the contact of a node with which all is well.
func leading() Contact {
	return Contact{NodeID: "n1", LeaderID: "n1", Leader: true, HasQuorum: true, CaughtUp: true, Term: 3, AppliedIndex: 12, CommitIndex: 14}
}

// serving is a node on which development was polled and deployed, and of which
// production awaits an approval.
func serving(t *testing.T) (*testNode, *admintest.Node) {
	t.Helper()
	cluster := admintest.New(t)
	poll(cluster, "")
	cluster.Deploy("roads")
	cluster.Create("production", "rivers")
	state := cluster.Store().State()
	active := state.Environment("development").Active
	return &testNode{state: state, contact: leading(), drift: []Drift{
		{Environment: "development", Kind: "source", Open: 1, Found: 3, Corrected: 2},
	}, serving: []Served{
		{Environment: "development", Epoch: active.Epoch, Index: active.Index, Digest: active.Digest},
	}}, cluster
}

// poll records a poll, which failed if it has an error.
func poll(cluster *admintest.Node, failure string) {
	command := &pb.ObservePoll{Branch: "main", NextPollMs: admintest.Epoch.Add(30 * time.Second).UnixMilli()}
	if failure == "" {
		command.Head = admintest.Commit("roads")
	} else {
		command.ErrorCode, command.Error = "repository_unavailable", failure
	}
	cluster.Lead(&pb.Payload{Command: &pb.Payload_ObservePoll{ObservePoll: command}})
}

// after is a clock that stands still some time after the cluster's beginning.
func after(d time.Duration) func() time.Time {
	return func() time.Time { return admintest.Epoch.Add(d) }
}

// newTestServer is a server of a node; log receives what it writes.
func newTestServer(t *testing.T, node Node, now func() time.Time, alter ...func(*Config)) (*Server, *Metrics) {
	t.Helper()
	metrics, err := NewMetrics(MetricsConfig{Node: node, Version: "v1.2.3", Commit: "abc789b", Go: "go1.26", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Health: NewHealth(node, now), Metrics: metrics, Logger: slog.New(slog.DiscardHandler)}
	for _, a := range alter {
		a(&cfg)
	}
	server, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return server, metrics
}

func request(server *Server, method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	server.Handler().ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

// golden compares a JSON answer with a file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	compare(t, name, indented.Bytes())
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (run with -update to accept):\n got %s\nwant %s", name, got, want)
	}
}

func status200(t *testing.T, r *httptest.ResponseRecorder) {
	t.Helper()
	if r.Code != http.StatusOK {
		t.Errorf("status %d: %s", r.Code, r.Body)
	}
}
