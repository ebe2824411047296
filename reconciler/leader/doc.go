// Package leader is the leader half of the reconciler: what the one node that
// leads does next.
//
// It gathers Inputs, Plan decides, and a thin loop carries the decisions out:
// proposals to the replicated state, questions to the nodes, reads of the
// repository. It is level-triggered: everything that matters is in the
// replicated state, so a successor begins with nothing and goes on.
package leader
