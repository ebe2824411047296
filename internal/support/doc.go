// Package support gathers what helps to find out what is wrong with a node, and
// packs it: without secrets, and with a bound on everything.
package support
