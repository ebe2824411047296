//go:build linux

// Command honua-chaos kills, stops, cuts off and misleads a cluster of real processes while clients use it, and then
// finds out from what they left whether every promise held. It needs root, for namespaces.
//
//	honua-chaos run --minutes 10 --seed 1 --nodes 3 --faults all
//	honua-chaos check DIR
//	honua-chaos planted --only vote
//
// A run is a number of rounds, each with a cluster and a seed of its own. A round that fails leaves its folder, which
// check reads again. planted has the nodes show defects, to see that the checks find them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/honua-io/honua-gitops/test/chaos/cell"
)

func main() {
	cell.Init()
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, os.Args[1:])
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 2
	}
	fmt.Fprintln(os.Stderr, "honua-chaos:", err)
	return 1
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say what to do: run, check or planted")
	}
	switch args[0] {
	case "run":
		return runRounds(ctx, args[1:])
	case roundCommand:
		return runRound(ctx, args[1:])
	case "planted":
		return findDefects(ctx, args[1:])
	case "check":
		return checkFolders(args[1:])
	default:
		return fmt.Errorf("%q: say run, check or planted", args[0])
	}
}
