//go:build !race

package gitsync

// underRace is set in builds with the race detector.
const underRace = false
