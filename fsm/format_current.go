//go:build !honua_next_format

package fsm

// ahead is how many formats the build is ahead of its release: none.
const ahead = 0

// trial is what the next format does otherwise, in a build for tests of upgrades.
func (*change) trial() string { return "" }
