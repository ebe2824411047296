// Package hostile is what a repository, or the server that it is on, can do to those who read it: a table of attack
// class by phase, every cell of it filled with cases or explained. The same cases run against the fetching process
// alone, with its memory measured, and a few of each phase against real nodes.
package hostile
