//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/check"
	"github.com/honua-io/honua-gitops/test/chaos/defects"
)

// findDefects has nodes show one defect after the other, each in round after round until a check finds it.
func findDefects(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("planted", flag.ContinueOnError)
	pattern := flags.String("only", "", "only the defects whose names contain this")
	rounds := flags.Int("rounds", 6, "in how many rounds each has to be found")
	length := flags.Duration("round", 45*time.Second, "how long faults are done in one round")
	seed := flags.Uint64("seed", 1, "of the first round; those after it count up")
	var s settings
	flags.StringVar(&s.dir, "dir", "dist/chaos", "where the folders of rounds are made")
	flags.StringVar(&s.program, "honua", "", "test this binary, of a build with the tag chaos, instead of building one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s.seed, s.round, s.nodes = *seed, *length, 3
	end, err := s.prepare(ctx)
	if err != nil {
		return err
	}
	defer end()
	missed := 0
	for _, d := range defects.All() {
		if !strings.Contains(d.Name, *pattern) || ctx.Err() != nil {
			continue
		}
		if d.Masked != "" && d.Name != *pattern {
			fmt.Printf("not looked for: %s: %s; the simulator finds it. With --only '%s' it is\n", d.Name, d.Masked, d.Name)
			continue
		}
		s.planted, s.kinds = d.Name, d.Faults
		if !s.find(ctx, d, *rounds) {
			missed++
		}
	}
	if missed > 0 || ctx.Err() != nil {
		return fmt.Errorf("%d planted defects were not found", missed)
	}
	return nil
}

// find runs rounds until a defect is found as a promise that it breaks.
func (s settings) find(ctx context.Context, d defects.Defect, rounds int) bool {
	begun := time.Now()
	others := map[string]bool{}
	for i := range rounds {
		verdict, err := s.inOneRound(ctx, s.seed+uint64(i))
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			others[err.Error()] = true
			continue
		}
		for _, finding := range verdict.Findings {
			if slices.Contains(d.Breaks, finding.Promise) {
				fmt.Printf("found: %s with seed %d, round %d, after %s: %.200s\n", d.Name, s.seed+uint64(i), i+1, time.Since(begun).Round(time.Second), finding)
				return true
			}
			others[finding.Promise] = true
		}
	}
	fmt.Printf("NOT found: %s in %d rounds; found as something else: %v\n", d.Name, rounds, slices.Sorted(maps.Keys(others)))
	return false
}

// inOneRound runs a round and deletes what it left.
func (s settings) inOneRound(ctx context.Context, seed uint64) (*check.Verdict, error) {
	dir, _, err := s.run(ctx, seed, s.round)
	if err != nil {
		return nil, err
	}
	evidence, err := check.Load(dir)
	if err != nil {
		return nil, errors.Join(err, remove(dir))
	}
	return check.Run(evidence), remove(dir)
}
