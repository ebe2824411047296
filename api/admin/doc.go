// Package admin is the gRPC API for operators: deployments, environments, the
// cluster and the audit chain.
//
// Every node answers. A read takes the state of this node, after it has caught
// up with everything acknowledged before the call (linearizable, the default),
// or as it is (stale); the answer names the index it was read at. A change
// becomes a command that the cluster executes once for each request id; the
// answer shows what it came to.
//
// What a call fails with is decided in one table, see Failure. An error says in
// its ErrorInfo that nothing was executed, where that is known; any other error
// of a change leaves the outcome open, and the same request id finds it out.
package admin
