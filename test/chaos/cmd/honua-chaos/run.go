//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos"
	"github.com/honua-io/honua-gitops/test/chaos/cell"
	"github.com/honua-io/honua-gitops/test/chaos/check"
	"github.com/honua-io/honua-gitops/test/chaos/faults"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
	"github.com/honua-io/honua-gitops/test/chaos/report"
)

// roundCommand runs one round; it is this program's own, inside of a cell.
const roundCommand = "round"

// longRun is how long a run has to be to come to everything; that it did not is a failure then.
const longRun = 20 * time.Minute

// settings are what run is told.
type settings struct {
	length, round time.Duration
	seed          uint64
	nodes         int
	kinds         []plan.Kind
	least         map[plan.Kind]int
	dir           string
	program       string
	planted       string
	keep          bool
}

func parse(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	minutes := flags.Float64("minutes", 10, "how long faults are done, over all rounds")
	round := flags.Duration("round", 90*time.Second, "how long faults are done in one round, at most")
	flags.Uint64Var(&s.seed, "seed", 0, "of the first round; those after it count up; 0 takes a random one")
	flags.IntVar(&s.nodes, "nodes", 3, "how many nodes, 3 or 5")
	list := flags.String("faults", "all", "what to do: all, or some of "+plan.Join(plan.Kinds()))
	least := flags.String("least", "", "go on with rounds until these were done, such as leader=120,pause=20; at most for three times as long")
	flags.StringVar(&s.dir, "dir", filepath.Join("dist", "chaos"), "where the folders of rounds are made")
	flags.StringVar(&s.program, "honua", "", "test this binary instead of building one")
	flags.StringVar(&s.planted, "planted", "", "have the nodes show a defect, to see that it is found")
	flags.BoolVar(&s.keep, "keep", false, "keep the folders of rounds that passed, too")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.length, s.round = time.Duration(*minutes*float64(time.Minute)), *round
	if s.kinds, err = plan.ParseKinds(*list); err != nil {
		return s, err
	}
	if s.least, err = plan.ParseCounts(*least); err != nil {
		return s, fmt.Errorf("--least: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("%q is not expected", flags.Arg(0))
	case s.nodes != 3 && s.nodes != 5:
		return s, fmt.Errorf("--nodes %d: 3 or 5", s.nodes)
	case s.length <= 0 || s.round <= 0:
		return s, errors.New("--minutes and --round: more than nothing")
	}
	if s.seed == 0 {
		s.seed = 1 + rand.Uint64N(1<<32)
	}
	return s, nil
}

// runRounds runs rounds until their time is over, each in a cell of its own, and checks what each left.
func runRounds(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	end, err := s.prepare(ctx)
	if err != nil {
		return err
	}
	defer end()
	var sum report.Sum
	var errs []error
	seed, spent := s.seed, time.Duration(0)
	for ctx.Err() == nil {
		length := s.next(spent, &sum)
		if length == 0 {
			break
		}
		if err := oneRound(ctx, s, seed, length, &sum); err != nil {
			errs = append(errs, fmt.Errorf("seed %d: %w", seed, err))
		}
		seed, spent = seed+1, spent+length
	}
	fmt.Println(sum.Line())
	fmt.Print(sum.Coverage())
	if few := sum.TooFew(s.least); len(few) > 0 {
		errs = append(errs, fmt.Errorf("done less often than asked for: %s", strings.Join(few, ", ")))
	}
	if missing := sum.Missing(s.kinds, faults.Windows()); len(missing) > 0 {
		fmt.Printf("not done in this run: %v\n", missing)
		if s.length >= longRun {
			errs = append(errs, fmt.Errorf("in %s these were never done: %v", s.length, missing))
		}
	}
	if ctx.Err() != nil {
		errs = append(errs, errors.New("interrupted"))
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return nil
}

// mostTimes is how much longer a run may take that has done something less often than asked for.
const mostTimes = 3

// next is the length of the next round, after those that took some time: 0 if there is none.
func (s *settings) next(spent time.Duration, sum *report.Sum) time.Duration {
	switch {
	case spent < s.length:
		return min(s.round, s.length-spent)
	case spent < mostTimes*s.length && len(sum.TooFew(s.least)) > 0:
		return min(s.round, s.length)
	default:
		return 0
	}
}

// prepare makes the folder for rounds and, if it was not given, the binary under test.
func (s *settings) prepare(ctx context.Context) (end func(), err error) {
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	if s.program != "" {
		return func() {}, nil
	}
	scratch, err := os.MkdirTemp("", "honua-chaos")
	if err != nil {
		return nil, err
	}
	s.program = filepath.Join(scratch, "honua")
	return func() { _ = os.RemoveAll(scratch) }, build(ctx, s.program)
}

// build makes the binary under test.
func build(ctx context.Context, program string) error {
	command := exec.CommandContext(ctx, "go", "build", "-tags", "chaos", "-o", program, "github.com/honua-io/honua-gitops/cmd/honua")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build honua: %w\n%s", err, output)
	}
	return nil
}

// run runs one round in a cell of its own and returns the folder that it left, and its exit code.
func (s settings) run(ctx context.Context, seed uint64, length time.Duration) (dir string, code int, err error) {
	if dir, err = os.MkdirTemp(s.dir, fmt.Sprintf("seed-%d-", seed)); err != nil {
		return "", 0, err
	}
	content, err := json.Marshal(s.config(dir, seed, length))
	if err != nil {
		return dir, 0, err
	}
	code, err = cell.Run(ctx, roundCommand, string(content))
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("interrupted: %s", dir)
	}
	return dir, code, err
}

func (s settings) config(dir string, seed uint64, length time.Duration) chaos.Config {
	return chaos.Config{Dir: dir, Program: s.program, Seed: seed, Length: length, Nodes: s.nodes, Kinds: s.kinds, Planted: s.planted}
}

// remove deletes what a round left.
func remove(dir string) error { return os.RemoveAll(dir) }

func oneRound(ctx context.Context, s settings, seed uint64, length time.Duration, sum *report.Sum) error {
	dir, code, err := s.run(ctx, seed, length)
	if err != nil {
		return err
	}
	verdict, err := judge(dir, sum)
	switch {
	case err != nil:
		return fmt.Errorf("%w: what there is of it is in %s", err, dir)
	case code != 0 || len(verdict.Findings) > 0:
		return errors.Join(fmt.Errorf("it failed: see %s", dir), leave(s.config(dir, seed, length), verdict))
	case !s.keep:
		return remove(dir)
	}
	return nil
}

// findingsShown is how many findings of a round are printed.
const findingsShown = 20

// judge checks what a round left, and says what it came to.
func judge(dir string, sum *report.Sum) (*check.Verdict, error) {
	evidence, err := check.Load(dir)
	if err != nil {
		return nil, err
	}
	verdict := check.Run(evidence)
	sum.Add(evidence, verdict)
	var one report.Sum
	one.Add(evidence, verdict)
	fmt.Println(one.Line())
	for i, finding := range verdict.Findings {
		if i == findingsShown {
			fmt.Printf("  … and %d more: findings.json\n", len(verdict.Findings)-i)
			break
		}
		fmt.Println("  " + finding.String())
	}
	return verdict, report.Timeline(evidence, filepath.Join(dir, "timeline.svg"))
}

// leave puts what it takes to go on from into a failed round's folder.
func leave(c chaos.Config, verdict *check.Verdict) error {
	content, err := json.MarshalIndent(verdict, "", "  ")
	if err != nil {
		return err
	}
	replay := fmt.Sprintf(`#!/bin/sh
# Runs the same schedule again. When each step hits what differs from run to run, so that it may take a few times.
cd "$(git rev-parse --show-toplevel)" &&
exec go run ./test/chaos/cmd/honua-chaos run --seed %d --nodes %d --faults %s --minutes %g --round %s --planted '%s'
`, c.Seed, c.Nodes, plan.Join(c.Kinds), c.Length.Minutes(), c.Length, c.Planted)
	return errors.Join(
		os.WriteFile(filepath.Join(c.Dir, "findings.json"), append(content, '\n'), 0o644),
		os.WriteFile(filepath.Join(c.Dir, "replay.sh"), []byte(replay), 0o755),
	)
}

// runRound is a round, inside of its cell.
func runRound(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("a round is run by run")
	}
	var c chaos.Config
	if err := json.Unmarshal([]byte(args[0]), &c); err != nil {
		return err
	}
	return chaos.Run(ctx, c)
}

// checkFolders checks what earlier rounds left.
func checkFolders(dirs []string) error {
	var sum report.Sum
	failed := 0
	for _, dir := range dirs {
		verdict, err := judge(dir, &sum)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		if len(verdict.Findings) > 0 {
			failed++
		}
	}
	if failed > 0 || len(dirs) == 0 {
		return fmt.Errorf("%d of %d rounds failed", failed, len(dirs))
	}
	return nil
}
