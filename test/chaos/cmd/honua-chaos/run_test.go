//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/plan"
	"github.com/honua-io/honua-gitops/test/chaos/report"
)

// Rounds fill the time that was asked for, and go on for at most three times as long while too little was done.
func TestRounds(t *testing.T) {
	for _, test := range []struct {
		name          string
		length, round time.Duration
		missing       bool
		want          []time.Duration
	}{
		{"one", time.Minute, 90 * time.Second, false, []time.Duration{time.Minute}},
		{"a last one that is shorter", 3 * time.Minute, 80 * time.Second, false, []time.Duration{80 * time.Second, 80 * time.Second, 20 * time.Second}},
		{"too little was done", 20 * time.Second, 90 * time.Second, true, []time.Duration{20 * time.Second, 20 * time.Second, 20 * time.Second}},
		{"too little was done in long rounds", time.Minute, 45 * time.Second, true, []time.Duration{
			45 * time.Second, 15 * time.Second, 45 * time.Second, 45 * time.Second, 45 * time.Second,
		}},
	} {
		s := settings{length: test.length, round: test.round}
		if test.missing {
			s.least = map[plan.Kind]int{plan.Pause: 1}
		}
		var sum report.Sum
		var spent time.Duration
		for i := 0; ; i++ {
			next := s.next(spent, &sum)
			if i == len(test.want) || next == 0 {
				if i != len(test.want) || next != 0 {
					t.Errorf("%s: after %d rounds comes one of %s", test.name, i, next)
				}
				break
			}
			if next != test.want[i] {
				t.Errorf("%s: round %d takes %s, not %s", test.name, i, next, test.want[i])
			}
			spent += next
		}
	}
}
