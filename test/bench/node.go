package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// process is a child that is stopped and killed and started again.
type process struct {
	name, program, logFile string
	args                   []string
	*harness.Process
}

func (p *process) start() (err error) {
	p.Process, err = harness.StartProcess(exec.Command(p.program, p.args...), p.logFile)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	return nil
}

// signal does not wait for what comes of it.
func (p *process) signal(s syscall.Signal) error { return syscall.Kill(p.PID, s) }

// stop ends the process, by force after a while, and waits for it.
func (p *process) stop() {
	if p.Process == nil {
		return
	}
	// A bad end is in the process's log; what matters here is that it has come.
	_ = p.Stop(syscall.SIGTERM)
}

// node is one node of a cluster.
type node struct {
	process
	id, dir                  string
	http, grpc, raft, gossip string
}

func (n *node) settingsFile() string     { return filepath.Join(n.dir, "appsettings.json") }
func (n *node) clusterDirectory() string { return filepath.Join(n.dir, "cluster") }

func (n *node) start() error {
	n.logFile = filepath.Join(n.dir, "honua.log")
	return n.process.start()
}

// awaitReady waits until the node serves.
func (n *node) awaitReady(ctx context.Context) error {
	for {
		status, err := get(ctx, "http://"+n.http+"/health/ready")
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-n.Ended():
			return fmt.Errorf("%s has ended\n%s", n.id, n.logTail())
		default:
		}
		if !rest(ctx, 2*time.Millisecond) {
			return fmt.Errorf("%s is not ready: status %d, %w\n%s", n.id, status, errors.Join(err, ctx.Err()), n.logTail())
		}
	}
}

// awaitServed waits until the node serves a path.
func (n *node) awaitServed(ctx context.Context, path string) error {
	for {
		status, err := get(ctx, "http://"+n.http+path)
		if err == nil && status == http.StatusOK {
			return nil
		}
		if !rest(ctx, time.Millisecond) {
			return fmt.Errorf("%s does not serve %s: status %d, %w", n.id, path, status, errors.Join(err, ctx.Err()))
		}
	}
}

func (n *node) logTail() string {
	const most = 2000
	content, err := os.ReadFile(n.logFile)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-most):])
}

func drain(body io.ReadCloser) error {
	_, err := io.Copy(io.Discard, body)
	return errors.Join(err, body.Close())
}
