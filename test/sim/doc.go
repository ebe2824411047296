// Package sim runs a whole cluster inside one goroutine: the product's state
// machine on every node, its leader half (Desk, Plan and Lookout), its node half
// with its journal and its store of contents — and a model of what is around
// them: log, clocks, disks that forget what was not synced, network, repository,
// callers. One seed decides everything that happens, so that a failure is
// repeated by its number.
//
// After every step the promises of the design are checked; at the end all faults
// are healed, and the cluster has to come to rest in step with its repository. A
// failure is told with its seed and with the few harms that it takes.
package sim
