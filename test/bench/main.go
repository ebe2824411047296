package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"text/tabwriter"
)

// measurement is one thing that can be measured by itself.
type measurement struct {
	name, about string
	// rounds is how often it repeats unless -n says otherwise.
	rounds int
	run    func(ctx context.Context, b *bench) error
}

func measurements() []measurement {
	return []measurement{
		{"failover", "kill -9 of the leader to the next accepted write, against bare raft", 20, failover},
		{"graceful", "SIGTERM to the leader: the longest gap between two accepted writes", 10, graceful},
		{"deploy", "environment sync to served on all nodes: 1 and 100 layers, 3 and 5 nodes", 20, deploy},
		{"webhook", "a webhook at any node to served on all nodes: 1 and 100 layers, 3 and 5 nodes", 20, webhook},
		{"deploy10k", "the same with 10,000 layers", 5, deployLarge},
		{"environments", "one commit that touches 1, 10, 100, 1,000 environments", 5, environments},
		{"idle", "CPU of a poll over HTTP, RSS of a node", 3, idle},
		{"writes", "replicated admin writes and reads through the public API", 5, writes},
		{"history", "snapshot, restore and restart with 1,000 and 100,000 deployments", 5, history},
		{"restart", "stop of everything, and of one node, to ready", 10, restart},
		{"features", "OGC API Features from a GeoJSON file with 8 connections", 5, features},
		{"postgis", "the same from a PostGIS on this machine; Debian packages needed", 5, postgis},
	}
}

// bench is what a measurement works with.
type bench struct {
	*report
	// rounds is how often to repeat.
	rounds int
	// environments is how many a long history has.
	environments int
	// program is the honua binary.
	program string
	// scratch is a folder of the measurement's own.
	scratch string
}

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// dispatch runs the measurements, or what a measurement starts this program as.
func dispatch(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case bareCommand:
			return runBare(ctx, args[1:])
		case snapshotCommand:
			return runSnapshot(args[1:])
		}
	}
	return measure(ctx, args)
}

func measure(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	pattern := flags.String("run", ".", "measure what matches this regular expression")
	rounds := flags.Int("n", 0, "repeat so often instead of the usual number")
	out := flags.String("out", filepath.Join("dist", "bench"), "write the results into this folder")
	program := flags.String("honua", "", "measure this binary instead of building one")
	environments := flags.Int("environments", 500, "history: how many environments, with 200 deployments each")
	keep := flags.Bool("keep", false, "keep the folder in which everything ran, and name it")
	list := flags.Bool("list", false, "list what can be measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *list {
		return listMeasurements(os.Stdout)
	}
	matching, err := regexp.Compile(*pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	scratch, err := os.MkdirTemp("", "honua-bench")
	if err != nil {
		return err
	}
	if *keep {
		fmt.Fprintln(os.Stderr, "everything is in", scratch)
	} else {
		defer os.RemoveAll(scratch)
	}
	if *program == "" {
		*program = filepath.Join(scratch, "honua")
		if err := build(ctx, *program); err != nil {
			return err
		}
	}
	report, err := newReport(ctx, *out, os.Stdout)
	if err != nil {
		return err
	}
	for _, m := range measurements() {
		if !matching.MatchString(m.name) || ctx.Err() != nil {
			continue
		}
		b := &bench{report: report, rounds: m.rounds, environments: *environments, program: *program, scratch: filepath.Join(scratch, m.name)}
		if *rounds > 0 {
			b.rounds = *rounds
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", m.name, m.about)
		if problem := m.run(ctx, b); problem != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", m.name, problem))
			fmt.Fprintln(os.Stderr, "bench:", m.name, problem)
		}
	}
	return errors.Join(err, report.close())
}

func listMeasurements(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range measurements() {
		fmt.Fprintf(table, "%s\t%s\n", m.name, m.about)
	}
	return table.Flush()
}

// build makes the binary that is measured, as releases are made.
func build(ctx context.Context, program string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "github.com/honua-io/honua-gitops/cmd/honua")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build honua: %w\n%s", err, output)
	}
	return nil
}
