//go:build !chaos

package planted

// On is false.
func On(Defect) bool { return false }
