// Package sim runs a whole cluster inside one goroutine: the real state machine
// on every node, the real Plan of the leader half, and a model of everything
// around them — log, clocks, disks, network, repository, callers. One seed
// decides everything that happens, so that a failure is repeated by its number.
//
// After every step the promises of the design are checked, I1 to I17; at the
// end all faults are healed, and the cluster has to come to rest in step with
// its repository.
package sim
