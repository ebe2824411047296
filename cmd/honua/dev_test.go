package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/internal/config"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// fakeNodeMain is a node that is ready at once, for as long as it is let live.
func fakeNodeMain() int {
	loaded, err := config.Load(os.Args[3], nil)
	if err != nil || os.Getenv(envFakeNode) == "broken" {
		fmt.Fprintln(os.Stderr, "this node cannot start")
		return 1
	}
	listener, err := net.Listen("tcp", loaded.API.GRPCAddress)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server := grpc.NewServer()
	(&fakeAPI{status: &pb.GetStatusResponse{LeaderId: "node1"}}).register(server)
	go func() { _ = server.Serve(listener) }()
	mux := http.NewServeMux()
	mux.HandleFunc("/health/ready", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"Healthy"}`)) })
	go func() { _ = http.ListenAndServe(loaded.API.HTTPAddress, mux) }()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return 0
}

// devUnderTest is a development cluster of fake nodes.
type devUnderTest struct {
	dir    string
	out    lockedBuffer
	cancel context.CancelFunc
	ended  chan error
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// freePorts finds room for a cluster.
func freePorts(t *testing.T, o devOptions) devOptions {
	t.Helper()
	for range 50 {
		o.basePort = 20000 + 100*rand.IntN(350)
		o.baseHTTP = o.basePort + 3
		// HTTP ports follow one another, the others come in tens: four nodes do not meet.
		nodes, err := devNodes(t.TempDir(), o)
		if err == nil && (devLayout{nodes: nodes}).tryPorts(t.Context()) == nil {
			return o
		}
	}
	t.Fatal("no free ports")
	return o
}

func startDev(t *testing.T, o devOptions, restart restartPolicy) *devUnderTest {
	t.Helper()
	layout, err := planDev(o, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &devUnderTest{dir: layout.dir, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	d.cancel = cancel
	s := newSession(strings.NewReader(""), &d.out, &d.out, func(string) string { return "" })
	go func() { d.ended <- newDevCluster(s, layout, executable, restart).run(ctx) }()
	t.Cleanup(cancel)
	return d
}

func (d *devUnderTest) nodes(t *testing.T) []nodeView {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(d.dir, "nodes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v nodesView
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatal(err)
	}
	return v.Nodes
}

func (d *devUnderTest) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, text+" in\n"+d.out.String(), func() bool {
		select {
		case err := <-d.ended:
			t.Fatalf("ended with %v:\n%s", err, d.out.String())
		default:
		}
		return strings.Contains(d.out.String(), text)
	})
}

func (d *devUnderTest) stop(t *testing.T) {
	t.Helper()
	d.cancel()
	if err := <-d.ended; err != nil {
		t.Fatal(err)
	}
}

func alive(pid int) bool { return pid > 0 && syscall.Kill(pid, 0) == nil }

func TestDevFromNothingToTheEnd(t *testing.T) {
	t.Setenv(envFakeNode, "ready")
	o := freePorts(t, devOptions{nodes: 3, dir: t.TempDir(), environment: "development"})
	d := startDev(t, o, restartPolicy{after: 20 * time.Millisecond})
	d.says(t, "\nready: 3 nodes")
	nodes := d.nodes(t)
	for _, node := range nodes {
		if !alive(node.PID) {
			t.Errorf("%s has no process", node.ID)
		}
	}
	for _, path := range []string{"config/.git", "config/environments/production/metadata.json", "data/cities.geojson", "node3/honua.log"} {
		if _, err := os.Stat(filepath.Join(d.dir, path)); err != nil {
			t.Error(err)
		}
	}
	second := startDev(t, o, restartPolicy{})
	if err := <-second.ended; err == nil || !strings.Contains(err.Error(), "another 'honua dev' is running") {
		t.Errorf("a second cluster in the directory: %v", err)
	}
	if err := syscall.Kill(nodes[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.says(t, "node2 was started again")
	if again := d.nodes(t)[1].PID; again == nodes[1].PID || !alive(again) {
		t.Errorf("nodes.json names process %d, which was %d before", again, nodes[1].PID)
	}
	running := d.nodes(t)
	d.stop(t)
	for i, node := range d.nodes(t) {
		if node.PID != 0 || alive(running[i].PID) {
			t.Errorf("%s is still there", node.ID)
		}
	}
	commit := d.record(t).Scaffolded
	d = startDev(t, o, restartPolicy{after: time.Hour})
	d.says(t, "\nready: 3 nodes")
	if commit == "" || d.record(t).Scaffolded != commit {
		t.Error("the second run did not continue")
	}
	d.stop(t)
}

func (d *devUnderTest) record(t *testing.T) devRecord {
	t.Helper()
	record, found, err := readDevRecord(filepath.Join(d.dir, "dev.json"))
	if err != nil || !found {
		t.Fatal(found, err)
	}
	return record
}

func TestDevLeavesANodeDown(t *testing.T) {
	t.Setenv(envFakeNode, "ready")
	o := freePorts(t, devOptions{nodes: 2, dir: t.TempDir(), environment: "development"})
	d := startDev(t, o, restartPolicy{never: true})
	d.says(t, "\nready")
	if err := syscall.Kill(d.nodes(t)[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.says(t, "it stays down")
	if pid := d.nodes(t)[0].PID; pid != 0 {
		t.Errorf("nodes.json names process %d", pid)
	}
	d.stop(t)
}

func TestDevShowsWhyANodeDoesNotStart(t *testing.T) {
	t.Setenv(envFakeNode, "broken")
	o := freePorts(t, devOptions{nodes: 1, dir: t.TempDir(), environment: "development"})
	d := startDev(t, o, restartPolicy{after: time.Millisecond})
	if err := <-d.ended; err == nil || !strings.Contains(err.Error(), "this node cannot start") {
		t.Errorf("%v", err)
	}
}

func TestDevPortInUse(t *testing.T) {
	o := freePorts(t, devOptions{nodes: 3, dir: t.TempDir(), environment: "development"})
	layout, err := planDev(o, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ network, address, flag string }{
		{"tcp", layout.nodes[0].http, "--base-http"},
		{"tcp", layout.nodes[1].grpc, "--base-port"},
		{"udp", layout.nodes[2].gossip, "--base-port"},
	}
	for _, test := range tests {
		var config net.ListenConfig
		var close func() error
		if test.network == "udp" {
			conn, err := config.ListenPacket(t.Context(), "udp", test.address)
			if err != nil {
				t.Fatal(err)
			}
			close = conn.Close
		} else {
			listener, err := config.Listen(t.Context(), "tcp", test.address)
			if err != nil {
				t.Fatal(err)
			}
			close = listener.Close
		}
		err := layout.tryPorts(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.address) || !strings.Contains(err.Error(), test.flag) {
			t.Errorf("%s: %v", test.address, err)
		}
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDevSettingsAreValid(t *testing.T) {
	for _, count := range []int{1, 3, 9} {
		layout, err := planDev(devOptions{nodes: count, dir: t.TempDir() + "/a b#c", environment: "staging", baseHTTP: 5000, basePort: 7700}, func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range layout.nodes {
			content, err := json.Marshal(layout.settings(node))
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := config.Parse("appsettings.json", content, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(loaded.Cluster.Join) != count-1 || loaded.Cluster.BootstrapExpect != count || len(loaded.Warnings) > 0 {
				t.Errorf("%+v %v", loaded.Cluster, loaded.Warnings)
			}
		}
	}
}

func TestPlanDev(t *testing.T) {
	made := t.TempDir()
	if err := writeFileAtomically(filepath.Join(made, "dev.json"), devRecord{Nodes: 5, BaseHTTP: 6000, BasePort: 8000, Scaffolded: commitA}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		o       devOptions
		changed string
		nodes   int
		first   string
		says    string
	}{
		{"from nothing", devOptions{dir: t.TempDir(), nodes: 3, baseHTTP: 5000, basePort: 7700}, "", 3, "127.0.0.1:7700", ""},
		{"continues as it was", devOptions{dir: made, nodes: 3, baseHTTP: 5000, basePort: 7700}, "", 5, "127.0.0.1:8000", ""},
		{"grows", devOptions{dir: made, nodes: 7, baseHTTP: 5000, basePort: 7700}, "nodes", 7, "127.0.0.1:8000", ""},
		{"shrinks", devOptions{dir: made, nodes: 3, baseHTTP: 5000, basePort: 7700}, "nodes", 0, "", "may have no quorum"},
		{"moves", devOptions{dir: made, nodes: 3, baseHTTP: 5000, basePort: 7800}, "base-port", 0, "", "--base-port 8000"},
		{"none", devOptions{dir: t.TempDir(), nodes: 0, baseHTTP: 5000, basePort: 7700}, "", 0, "", "--nodes 0"},
		{"too many", devOptions{dir: t.TempDir(), nodes: 10, baseHTTP: 5000, basePort: 7700}, "", 0, "", "--nodes 10"},
		{"no port", devOptions{dir: t.TempDir(), nodes: 3, baseHTTP: 65535, basePort: 7700}, "", 0, "", "--base-http 65535"},
		{"the same port twice", devOptions{dir: t.TempDir(), nodes: 3, baseHTTP: 7700, basePort: 7700}, "", 0, "", "both want"},
	}
	for _, test := range tests {
		layout, err := planDev(test.o, func(flag string) bool { return flag == test.changed })
		if test.says != "" {
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil || len(layout.nodes) != test.nodes || layout.nodes[0].grpc != test.first {
			t.Errorf("%s: %v, %+v", test.name, err, layout.nodes)
		}
	}
}

// Only the commit that was made here is approved without being asked.
func TestDevApprovesItsOwnCommitOnly(t *testing.T) {
	for _, own := range []bool{true, false} {
		var approved []*pb.ApproveDeploymentRequest
		var mu sync.Mutex
		commit := commitB
		if own {
			commit = commitA
		}
		waiting := &pb.Deployment{Id: "d", Commit: commit, State: pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL}
		api := &fakeAPI{
			approve: func(r *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
				mu.Lock()
				defer mu.Unlock()
				approved = append(approved, r)
				return &pb.ApproveDeploymentResponse{}, nil
			},
			watched: []*pb.WatchEnvironmentsResponse{
				{Index: 1, Environment: &pb.Environment{Name: "production", CurrentDeployment: waiting}},
				{Index: 2, Environment: &pb.Environment{Name: "production", DeployedCommit: commit}},
			},
		}
		var out lockedBuffer
		s := newSession(strings.NewReader(""), &out, &out, func(string) string { return "" })
		layout := devLayout{environment: "production", scaffolded: commitA, nodes: []devNode{{grpc: api.serve(t)}}}
		if err := newDevCluster(s, layout, "", restartPolicy{}).approveScaffold(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if (len(approved) == 1) != own {
			t.Errorf("own %v: approved %d times", own, len(approved))
		}
		if own && (approved[0].GetApprover() != "dev" || approved[0].GetExpectedCommit() != commitA) {
			t.Errorf("%v", approved[0])
		}
	}
}
