package harness

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// pollEvery is how often a condition is looked at.
const pollEvery = 25 * time.Millisecond

// Eventually waits until check returns nil, and fails the test with its last error if that takes longer than within.
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	if err := Await(t.Context(), within, check); err != nil {
		t.Fatal(err)
	}
}

// Await waits until check returns nil; its error is the last one of check. It is Eventually for goroutines that
// cannot end the test.
func Await(ctx context.Context, within time.Duration, check func() error) error {
	began := time.Now()
	for {
		err := check()
		if err == nil {
			return nil
		}
		if time.Since(began) > within {
			return fmt.Errorf("after %s: %w", time.Since(began).Round(time.Millisecond), err)
		}
		if !Pause(ctx, pollEvery) {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// Pause lets time pass where that is the point, such as between two failures; it reports false if the context ended
// first. What a test waits for, it waits for with Eventually.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
