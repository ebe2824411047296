// Package report says in one line what a round came to, and leaves what it takes to understand a failure.
package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/test/chaos/check"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
)

// Sum adds up rounds.
type Sum struct {
	Seeds   []uint64
	Rounds  int
	Failed  int
	Verdict check.Verdict
	// Done counts faults by kind, Ways those by kind and variant.
	Done, Ways map[string]int
	// LeaderKills counts leaders that were killed, by whatever fault, each once however often its process was.
	LeaderKills int
}

// Add counts a round.
func (s *Sum) Add(e *check.Evidence, v *check.Verdict) {
	if s.Done == nil {
		s.Done, s.Ways = map[string]int{}, map[string]int{}
	}
	s.Seeds = append(s.Seeds, e.Round.Seed)
	s.Rounds++
	if len(v.Findings) > 0 {
		s.Failed++
	}
	for _, field := range []struct{ sum, add *int }{
		{&s.Verdict.Acked, &v.Acked}, {&s.Verdict.Refused, &v.Refused}, {&s.Verdict.NotExecuted, &v.NotExecuted},
		{&s.Verdict.Unknown, &v.Unknown}, {&s.Verdict.Reads, &v.Reads}, {&s.Verdict.Lost, &v.Lost}, {&s.Verdict.Double, &v.Double},
		{&s.Verdict.Deployments, &v.Deployments}, {&s.Verdict.Activations, &v.Activations}, {&s.Verdict.Polls, &v.Polls},
		{&s.Verdict.Elections, &v.Elections},
	} {
		*field.sum += *field.add
	}
	s.Verdict.Findings = append(s.Verdict.Findings, v.Findings...)
	killed := map[uint64]bool{}
	for _, fault := range e.Faults {
		if !fault.Done {
			continue
		}
		s.Done[string(fault.Kind)] += max(1, len(fault.Hit))
		s.Ways[string(fault.Kind)+" "+fault.Variant]++
		switch fault.Kind {
		case plan.Kill, plan.Leader, plan.Window, plan.Power:
			if fault.Term > 0 {
				killed[fault.Term] = true
			}
		}
	}
	s.LeaderKills += len(killed)
}

// Line is the summary.
func (s *Sum) Line() string {
	var b strings.Builder
	seeds := make([]string, len(s.Seeds))
	for i, seed := range s.Seeds {
		seeds[i] = fmt.Sprint(seed)
	}
	fmt.Fprintf(&b, "seed=%s rounds=%d failed=%d kills=%d leader_kills=%d", strings.Join(seeds, ","), s.Rounds, s.Failed, s.Done[string(plan.Kill)], s.LeaderKills)
	for _, kind := range slices.Sorted(maps.Keys(s.Done)) {
		if kind != string(plan.Kill) {
			fmt.Fprintf(&b, " %s=%d", kind, s.Done[kind])
		}
	}
	v := &s.Verdict
	fmt.Fprintf(&b, " acked=%d refused=%d not_executed=%d unknown=%d reads=%d polls=%d deployments=%d activations=%d elections=%d lost=%d double=%d",
		v.Acked, v.Refused, v.NotExecuted, v.Unknown, v.Reads, v.Polls, v.Deployments, v.Activations, v.Elections, v.Lost, v.Double)
	return b.String()
}

// Coverage is a line for each way in which harm was done, the least often done ones first.
func (s *Sum) Coverage() string {
	ways := slices.SortedFunc(maps.Keys(s.Ways), func(a, b string) int {
		if s.Ways[a] != s.Ways[b] {
			return s.Ways[a] - s.Ways[b]
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	for _, way := range ways {
		fmt.Fprintf(&b, "  %5d  %s\n", s.Ways[way], strings.TrimSpace(way))
	}
	return b.String()
}

// TooFew says what was done less often than asked for. A leader counts once, whatever killed it.
func (s *Sum) TooFew(least map[plan.Kind]int) (few []string) {
	for _, kind := range plan.Kinds() {
		done := s.Done[string(kind)]
		if kind == plan.Leader {
			done = s.LeaderKills
		}
		if done < least[kind] {
			few = append(few, fmt.Sprintf("%s %d of %d", kind, done, least[kind]))
		}
	}
	return few
}

// Missing are kinds of faults, and windows, that were asked for and never done.
func (s *Sum) Missing(kinds []plan.Kind, windows []string) (missing []string) {
	for _, kind := range kinds {
		if kind == plan.Window {
			for _, window := range windows {
				if s.Ways[string(kind)+" "+window] == 0 {
					missing = append(missing, "window "+window)
				}
			}
		} else if s.Done[string(kind)] == 0 {
			missing = append(missing, string(kind))
		}
	}
	return missing
}
