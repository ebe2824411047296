package gitsync

import "time"

// MaxBackoff is the longest pause after errors, before jitter.
const MaxBackoff = 5 * time.Minute

// Backoff computes the pause before the next poll. It has no state: equal arguments,
// equal results.
type Backoff struct {
	// Interval is the pause between polls that succeed.
	Interval time.Duration
}

// Next returns the pause after the given number of errors in a row (0 after a success).
// It doubles with every error, up to MaxBackoff (or Interval, if that is longer), and is
// then spread by up to a tenth in either direction; random is in [0, 1).
func (b Backoff) Next(errors int, random float64) time.Duration {
	longest := max(b.Interval, MaxBackoff)
	pause := b.Interval
	for range errors {
		pause *= 2
		if pause >= longest {
			pause = longest
			break
		}
	}
	spread := float64(pause) / 10
	return pause + time.Duration(spread*(2*random-1))
}
