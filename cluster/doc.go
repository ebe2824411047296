// Package cluster is one node's place in the raft group: its storage and
// transport, the adapter to the state machine, proposals and linearizable
// reads, leadership terms, gossip, membership and the watchdog. It is the only
// importer of raft, raft-boltdb and memberlist.
//
// Open reads a data directory, RegisterPeerService makes the node answer its
// peers, and Run takes part until its context ends.
package cluster
