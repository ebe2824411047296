// Package backup saves the replicated state to a directory, again and again.
//
// Every node that is given a directory does it by itself, from its own copy of
// the state: nothing is handed over when the leader changes, so that no backup
// is lost or made twice over it, and a backup does not share its disk with every
// other copy. The directory itself is what is known of earlier backups: a node
// saves when the newest one in it is older than the interval, and nodes that
// share a directory take turns by a lock on it, so that it fills once.
package backup
