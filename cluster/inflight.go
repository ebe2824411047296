package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxInFlight bounds what a leader has accepted and not yet finished.
	maxInFlight = 1024
	// admissionWait is how long a command may wait for others to finish.
	admissionWait = 500 * time.Millisecond
	drainPoll     = 5 * time.Millisecond
)

// commitBounds are the upper bounds of the buckets that commits are counted in; the last bucket has none.
var commitBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second,
}

func commitBucket(took time.Duration) int {
	for i, bound := range commitBounds {
		if took <= bound {
			return i
		}
	}
	return len(commitBounds)
}

// proposals counts what this node, as the leader, has in flight.
type proposals struct {
	slots chan struct{}
	// kick wakes the watchdog: something is slower than it should be.
	kick chan struct{}

	mu      sync.Mutex
	count   uint64
	spent   time.Duration
	last    time.Duration
	buckets [len(commitBounds) + 1]uint64

	refused, unknown atomic.Uint64
}

func newProposals() *proposals {
	return &proposals{slots: make(chan struct{}, maxInFlight), kick: make(chan struct{}, 1)}
}

func (p *proposals) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(admissionWait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	p.alarm()
	return fmt.Errorf("%w: %d", ErrOverloaded, maxInFlight)
}

func (p *proposals) leave(start time.Time) {
	took := time.Since(start)
	p.mu.Lock()
	p.count++
	p.spent += took
	p.last = took
	p.buckets[commitBucket(took)]++
	p.mu.Unlock()
	<-p.slots
}

// drain waits until nothing is in flight.
func (p *proposals) drain(ctx context.Context) {
	for len(p.slots) > 0 && pause(ctx, drainPoll) {
	}
}

// finished is how many have ended.
func (p *proposals) finished() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// alarm asks the watchdog to look.
func (p *proposals) alarm() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}
