//go:build race

package gitsync

// underRace: the race detector maps address space and memory many times of what the program
// uses, which the limits on memory are not about.
const underRace = true
