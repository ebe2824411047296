// Package client calls a cluster through any of its nodes.
//
// A [Client] is a grpc.ClientConnInterface, so the generated service clients run on it. It stays with the node that
// answered last and goes on to the others when that one does not answer: connections are attempted for a bounded
// time, a node that failed is passed over for a while, and the leader that an answer names is tried next.
//
// A read is repeated freely. A change that carries a request id is repeated under the same id, which the cluster
// executes at most once, so an outcome that was unknown becomes known. A change without one is repeated only where
// the answer says that it was not executed. What cannot be decided before the deadline is an [Error] whose outcome
// is Unknown.
package client
