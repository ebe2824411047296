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

// maxJobBytes bounds the request, which holds settings only.
const maxJobBytes = 1 * mib

// WorkerMain does one fetch and read: the request comes from stdin, the answer goes to stdout. It
// limits its own memory first, because what follows reads data of others. It returns the exit
// code of the process: 0 if an answer was written, be it an error.
func WorkerMain(ctx context.Context, stdin io.Reader, stdout io.Writer) int {
	var j job
	if err := json.NewDecoder(io.LimitReader(stdin, maxJobBytes)).Decode(&j); err != nil {
		return exitBadRequest
	}
	ctx, stop := context.WithCancel(ctx)
	watch := limitMemory(ctx, j.Limits.FetchMemoryBytes)
	defer watch.wait()
	defer stop()
	reading, err := j.run(ctx, slog.New(slog.DiscardHandler))
	if err := writeAnswer(stdout, reading, err); err != nil {
		return exitBroken
	}
	return 0
}

// Exit codes of the child.
const (
	exitBadRequest = 64
	exitBroken     = 65
	exitMemory     = 66
)
