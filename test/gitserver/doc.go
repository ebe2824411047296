// Package gitserver is a Git server whose behaviour is set by the test: over smart HTTP and
// SSH it serves real repositories with git's own programs, and on demand it refuses, hangs,
// cuts off, corrupts, floods or redirects.
package gitserver
