// Package node is the node half of the reconciler: it follows the replicated
// state and makes this node serve what was decided.
//
// Applying a log entry has no side effects; this package watches the newest
// state and acts on it. It stores contents on disk by digest, stages them when
// the leader asks, activates what the state names as active, journals each
// step, and writes the state files. It serves the last active content from disk
// before raft is up.
package node
