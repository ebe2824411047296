//go:build !chaos

package failpoint

// Enabled reports whether this build has windows.
const Enabled = false

// Reach does nothing.
func Reach(Window) {}
