package gitsync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// killGrace is how long a killed child's pipes may stay open.
const killGrace = 2 * time.Second

// runWorker has a job done in a child process, and in further ones if one ends in the middle: what one request does to a
// child is that request's answer, and the others go on.
func runWorker(ctx context.Context, executable string, j job, log *slog.Logger, answer func(i int, reading *Reading, err error)) {
	for next := 0; next < len(j.Requests); {
		rest := j
		rest.Requests = j.Requests[next:]
		w := worker{executable: executable, job: rest, log: log, answer: func(reading *Reading, err error) {
			answer(next, reading, err)
			next++
		}}
		err := w.run(ctx)
		if err == nil {
			return
		}
		answer(next, nil, err)
		next++
		for ; next < len(j.Requests) && (!w.ready || ctx.Err() != nil); next++ {
			answer(next, nil, err)
		}
	}
}

// worker is one child process.
type worker struct {
	executable string
	job        job
	log        *slog.Logger
	answer     func(reading *Reading, err error)
	// ready is set when everything was there to be read: what fails before fails for all requests.
	ready bool
}

// run starts the child and takes its answers. The child is killed with everything it started when ctx ends, or when it
// takes longer than FetchTimeout to be ready, or for one answer.
func (w *worker) run(ctx context.Context) error {
	request, err := json.Marshal(w.job) //nolint:gosec // the child needs the password, and reads it from a pipe
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWorker, err)
	}
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(w.job.Limits.FetchTimeout, func() { cancel(ErrTimeout) })
	defer timer.Stop()
	done := make(chan error)
	go func() {
		// The kernel kills the child when the thread that started it ends, so that thread is
		// kept until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- w.converse(bounded, request, timer)
	}()
	err = <-done
	switch {
	case err == nil || bounded.Err() == nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return context.Cause(bounded)
}

func (w *worker) converse(ctx context.Context, request []byte, timer *time.Timer) error {
	cmd := exec.CommandContext(ctx, w.executable, WorkerCommand)
	cmd.Env = workerEnvironment()
	cmd.Stdin = bytes.NewReader(request)
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killGrace
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWorker, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", ErrWorker, err)
	}
	answerErr := w.listen(out, timer)
	if errors.Is(answerErr, ErrWorker) {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may still be writing
	}
	waitErr := cmd.Wait()
	state := cmd.ProcessState
	w.log.Debug("fetch process ended", "cpu_ms", (state.UserTime() + state.SystemTime()).Milliseconds(),
		"max_rss_bytes", maxResident(state))
	if errors.Is(answerErr, ErrWorker) {
		return exitError(state, w.job.Limits, answerErr, waitErr)
	}
	return answerErr
}

// listen takes the answers; an error is that of the child, or one that it gives for all requests.
func (w *worker) listen(out io.Reader, timer *time.Timer) error {
	if err := readReady(out); err != nil {
		return err
	}
	w.ready = true
	for range w.job.Requests {
		timer.Reset(w.job.Limits.FetchTimeout)
		reading, err := readAnswer(out, w.job.Limits)
		if errors.Is(err, ErrWorker) {
			return err
		}
		w.answer(reading, err)
	}
	return nil
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
