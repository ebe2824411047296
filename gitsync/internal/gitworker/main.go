// Command gitworker is the child process alone, built by tests and benchmarks that measure it
// without what a test binary brings along.
package main

import (
	"context"
	"os"

	"github.com/honua-io/honua-gitops/gitsync"
)

func main() { os.Exit(gitsync.WorkerMain(context.Background(), os.Stdin, os.Stdout)) } //nolint:forbidigo // this is a main function
