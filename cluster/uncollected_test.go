package cluster

import (
	"runtime/debug"
	"testing"
)

// Restores that overlap leave the collector as the first one found it.
func TestCollectingIsResumed(t *testing.T) {
	const before = 77
	defer debug.SetGCPercent(debug.SetGCPercent(before))
	var u uncollected
	off := func() bool {
		now := debug.SetGCPercent(-1)
		debug.SetGCPercent(now)
		return now == -1
	}
	for step, do := range []func(){u.pause, u.pause, u.resume, u.resume} {
		do()
		if want := step < 3; off() != want {
			t.Errorf("after step %d collecting is off: %t", step, !want)
		}
	}
	if now := debug.SetGCPercent(before); now != before {
		t.Errorf("it is at %d, not %d", now, before)
	}
}
