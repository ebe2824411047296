package gitsync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// killGrace is how long a killed child's pipes may stay open.
const killGrace = 2 * time.Second

// runWorker runs a job in a child process, which is killed with everything it started when ctx
// ends.
func runWorker(ctx context.Context, executable string, j job, log *slog.Logger) (*Reading, error) {
	request, err := json.Marshal(j) //nolint:gosec // the child needs the password, and reads it from a pipe
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWorker, err)
	}
	type outcome struct {
		reading *Reading
		err     error
	}
	done := make(chan outcome)
	go func() {
		// The kernel kills the child when the thread that started it ends, so that thread is
		// kept until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		reading, err := startWorker(ctx, executable, request, j.Limits, log)
		done <- outcome{reading, err}
	}()
	result := <-done
	return result.reading, result.err
}

func startWorker(ctx context.Context, executable string, request []byte, limits Limits, log *slog.Logger) (*Reading, error) {
	cmd := exec.CommandContext(ctx, executable, WorkerCommand)
	cmd.Env = workerEnvironment()
	cmd.Stdin = bytes.NewReader(request)
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killGrace
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWorker, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWorker, err)
	}
	reading, answerErr := readAnswer(out, limits)
	if errors.Is(answerErr, ErrWorker) {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may still be writing
	}
	waitErr := cmd.Wait()
	state := cmd.ProcessState
	log.Debug("fetch process ended", "cpu_ms", (state.UserTime() + state.SystemTime()).Milliseconds(),
		"max_rss_bytes", maxResident(state))
	if errors.Is(answerErr, ErrWorker) {
		return nil, exitError(state, limits, answerErr, waitErr)
	}
	return reading, answerErr
}

// exitError says why a child ended without an answer. Its last words are not passed on: they may
// show what it was reading. A runtime that is refused memory crashes in many ways, so that one
// that crashed near its limit is taken to have reached it.
func exitError(state *os.ProcessState, limits Limits, answer, wait error) error {
	crashed := state.ExitCode() == exitCrash && maxResident(state) > limits.FetchMemoryBytes/2
	if state.ExitCode() == exitMemory || crashed {
		return ErrMemory
	}
	if wait != nil {
		return fmt.Errorf("%w: %w", answer, wait)
	}
	return answer
}

// exitCrash is the code with which the Go runtime ends.
const exitCrash = 2

// maxResident is the most memory that a process that has ended had in use, in bytes.
func maxResident(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss * 1024
}

// workerEnvironment hands on what connecting needs, and none of the secrets that a node's
// environment may hold.
func workerEnvironment() []string {
	var kept []string
	for _, name := range []string{
		"HOME", "PATH", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
		"GOCOVERDIR", "GORACE",
	} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}
