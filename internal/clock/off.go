//go:build !chaos

package clock

import "time"

// Now is time.Now.
func Now() time.Time { return time.Now() }
