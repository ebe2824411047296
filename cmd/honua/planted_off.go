//go:build !chaos

package main

// plant does nothing: this build has no defects to show.
func plant() {}
