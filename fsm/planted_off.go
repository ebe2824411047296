//go:build !chaos

package fsm

// The defects that a build with the tag chaos can show.
const (
	plantCountTwice     = false
	plantIgnoreSequence = false
	plantForgetHold     = false
	plantForgetRequest  = false
	plantReuseIndex     = false
)
