// Command honua is the Honua GitOps server and its command line: one static binary.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	plant()
	os.Exit(mainWithSignals())
}

// mainWithSignals runs one command line. The first SIGINT or SIGTERM asks it to end, the second ends it.
func mainWithSignals() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, newSession(os.Stdin, os.Stdout, os.Stderr, os.Getenv), os.Args[1:])
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, s *session, args []string) int {
	defer s.close()
	root := newRootCommand(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	s.report(err)
	return exitCode(err)
}
