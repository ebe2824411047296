// Package fsm is the replicated state machine: what a cluster has decided.
//
// Apply is a pure function of a State and an Entry. Time, identifiers and
// randomness come in through commands, so that every node that applies the
// same log holds the same State (I11). A State is immutable: it shares what did
// not change with the State before it, so that a snapshot, a reader and the
// next Apply never wait for each other.
//
// The package imports nothing of the module but the messages, and nothing of
// the standard library that could tell one node from another: no time, os,
// net, math/rand or log/slog.
package fsm
