//go:build unix

package harness

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Node is one node of a cluster. Kill, Stop and Start may be called from one goroutine at a time; what reads may be
// called from any.
type Node struct {
	ID, Dir                  string
	HTTP, GRPC, Raft, Gossip string

	t       testing.TB
	program string
	// launch is Options.Launch, or nil.
	launch func(*Node, *exec.Cmd) *exec.Cmd
	// tls is nil where everything is in the clear.
	tls *tls.Config

	mu      sync.Mutex
	process *Process
	conn    *grpc.ClientConn
}

func (n *Node) writeSettings(settings Section) {
	n.t.Helper()
	content, err := json.MarshalIndent(settings, "", "  ")
	if err == nil {
		err = os.MkdirAll(n.Dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(n.SettingsFile(), content, 0o600)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// SettingsFile is the node's appsettings.json.
func (n *Node) SettingsFile() string { return filepath.Join(n.Dir, "appsettings.json") }

// LogFile is what the node writes, over all its lives.
func (n *Node) LogFile() string { return filepath.Join(n.Dir, "honua.log") }

// Use has the node run another program from its next start on.
func (n *Node) Use(program string) { n.program = program }

// Start starts the node's process; it does not wait until the node is ready.
func (n *Node) Start() {
	n.t.Helper()
	if n.Running() {
		n.t.Fatalf("%s runs already", n.ID)
	}
	command := exec.Command(n.program, "server", "--config", n.SettingsFile())
	if n.launch != nil {
		command = n.launch(n, command)
	}
	process, err := StartProcess(command, n.LogFile())
	if err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process = process
}

func (n *Node) current() *Process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process
}

// Running reports whether the node's process runs.
func (n *Node) Running() bool {
	p := n.current()
	return p != nil && p.Running()
}

// PID is the id of the node's process; 0 if it was never started.
func (n *Node) PID() int {
	if p := n.current(); p != nil {
		return p.PID
	}
	return 0
}

// Kill ends the node with SIGKILL.
func (n *Node) Kill() {
	if p := n.current(); p != nil {
		p.Kill()
	}
}

// Stop ends the node with SIGTERM; a node that does not end in order fails the test.
func (n *Node) Stop() {
	n.t.Helper()
	if p := n.current(); p != nil {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			n.t.Fatalf("%s: %v", n.ID, err)
		}
	}
}

// Signal sends a signal to the node's process, if it runs.
func (n *Node) Signal(signal syscall.Signal) error {
	p := n.current()
	if p == nil || !p.Running() {
		return nil
	}
	if err := syscall.Kill(p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%s: signal process %d: %w", n.ID, p.PID, err)
	}
	return nil
}

// End asks the node's process to end with a signal and waits; the error says how it did not end in order.
func (n *Node) End(signal syscall.Signal) error {
	if p := n.current(); p != nil {
		return p.Stop(signal)
	}
	return nil
}

func (n *Node) end() {
	n.Kill()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		_ = n.conn.Close()
	}
}

// Conn is a connection to this node alone.
func (n *Node) Conn() (*grpc.ClientConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		transport := insecure.NewCredentials()
		if n.tls != nil {
			transport = credentials.NewTLS(n.tls)
		}
		conn, err := grpc.NewClient(n.GRPC, grpc.WithTransportCredentials(transport), grpc.WithIdleTimeout(0), grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 25 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 100 * time.Millisecond},
			MinConnectTimeout: connectWithin,
		}))
		if err != nil {
			return nil, err
		}
		n.conn = conn
	}
	return n.conn, nil
}

// connectWithin bounds one attempt to connect. Left out, grpc would give a handshake no more than the delay between two.
const connectWithin = 5 * time.Second

// askWithin bounds one question to one node.
const askWithin = 2 * time.Second

// Status is what the node itself knows of the cluster.
func (n *Node) Status(ctx context.Context) (*pb.GetStatusResponse, error) {
	conn, err := n.Conn()
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return pb.NewClusterServiceClient(conn).GetStatus(bounded, &pb.GetStatusRequest{Consistency: pb.Consistency_CONSISTENCY_STALE})
}

// StateHash is the node's own applied index and its state's hash there.
func (n *Node) StateHash(ctx context.Context) (index uint64, hash string, err error) {
	status, err := n.Status(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("%s: %w", n.ID, err)
	}
	for _, server := range status.GetServers() {
		if server.GetId() == n.ID && server.GetStateHash() != "" {
			return server.GetAppliedIndex(), server.GetStateHash(), nil
		}
	}
	return 0, "", fmt.Errorf("%s does not say its state's hash", n.ID)
}

// AwaitReady waits until the node says that it is ready.
func (n *Node) AwaitReady() {
	n.t.Helper()
	Eventually(n.t, StartWithin, func() error {
		if !n.Running() {
			return fmt.Errorf("%s is not running", n.ID)
		}
		return n.Ready(n.t.Context())
	})
}

// Ready reports nil if the node says that it is ready.
func (n *Node) Ready(ctx context.Context) error {
	r, err := n.Get(ctx, "/health/ready")
	if err != nil {
		return fmt.Errorf("%s: %w", n.ID, err)
	}
	if r.Code != http.StatusOK {
		return fmt.Errorf("%s is not ready: %s", n.ID, r.Body)
	}
	return nil
}

// Serves checks over HTTP that the node serves a digest of an environment.
func (n *Node) Serves(environment, digest string) error {
	r, err := n.Get(n.t.Context(), "/environments/"+environment+"/ogc/collections")
	if err != nil {
		return fmt.Errorf("%s: %w", n.ID, err)
	}
	if r.Code != http.StatusOK || r.Digest() != digest {
		return fmt.Errorf("%s serves %.8s of %s (status %d), not %.8s", n.ID, r.Digest(), environment, r.Code, digest)
	}
	return nil
}

// Log is everything that the node wrote.
func (n *Node) Log() string {
	content, err := os.ReadFile(n.LogFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.t.Error(err)
	}
	return string(content)
}

// logTail is the end of the log, at most 40 lines.
func (n *Node) logTail() string {
	const most = 40
	lines := strings.Split(strings.TrimSpace(n.Log()), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
