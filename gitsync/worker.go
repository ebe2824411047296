package gitsync

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
)

// WorkerCommand is the argument with which the parent starts its own binary again; the binary
// must then call WorkerMain, before anything else.
const WorkerCommand = "git-worker"

// maxJobBytes bounds the request, which holds settings and the names of environments.
const maxJobBytes = 16 * mib

// WorkerMain does one fetch, and reads: the job comes from stdin, the answers go to stdout. It
// limits its own memory first, because what follows reads data of others. It returns the exit
// code of the process: 0 if all answers were written, be they errors.
func WorkerMain(ctx context.Context, stdin io.Reader, stdout io.Writer) int {
	var j job
	if err := json.NewDecoder(io.LimitReader(stdin, maxJobBytes)).Decode(&j); err != nil || len(j.Requests) == 0 {
		return exitBadRequest
	}
	ctx, stop := context.WithCancel(ctx)
	watch := limitMemory(ctx, j.Limits.childMemory())
	defer watch.wait()
	defer stop()
	to := &answerWriter{to: stdout}
	if err := j.run(ctx, to, slog.New(slog.DiscardHandler)); err != nil && !to.begun {
		to.failed = writeAnswer(stdout, nil, err)
	}
	if to.failed != nil {
		return exitBroken
	}
	return 0
}

// answerWriter is the receiver of a job in the child.
type answerWriter struct {
	to     io.Writer
	begun  bool
	failed error
}

func (w *answerWriter) ready() error {
	w.begun = true
	w.failed = writeReady(w.to)
	return w.failed
}

func (w *answerWriter) answer(reading *Reading, err error) error {
	w.failed = writeAnswer(w.to, reading, err)
	return w.failed
}

// Exit codes of the child.
const (
	exitBadRequest = 64
	exitBroken     = 65
	exitMemory     = 66
)
