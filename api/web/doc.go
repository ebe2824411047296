// Package web is the HTTP side of a node: health, metrics, and the mount point
// of what others serve.
//
// Health is computed on every node from the replicated state, what this node
// serves and whether it is in contact with a leader, so that any node can be
// asked. A node that serves is ready: losing the leader or the repository makes
// what it serves stale, which it says, and does not take it out of service.
package web
