package cluster

import (
	"runtime/debug"
	"sync"
)

// uncollected counts who wants no garbage collected. Its setting is the
// process's: of two who each put back what they found, the second would put back
// the first one's and leave collecting off for good.
type uncollected struct {
	mu      sync.Mutex
	holders int
	// percent is what to go back to.
	percent int
}

var collecting uncollected

// pause turns collecting off until as many have resumed as have paused.
func (u *uncollected) pause() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.holders++; u.holders == 1 {
		u.percent = debug.SetGCPercent(-1)
	}
}

func (u *uncollected) resume() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.holders--; u.holders == 0 {
		debug.SetGCPercent(u.percent)
	}
}
