// Command bench measures what users notice, on real clusters: every node is a process of its own, on loopback.
//
//	go run ./test/bench                      # everything
//	go run ./test/bench -run failover -n 20  # one measurement
//	go run ./test/bench -list
//
// It prints a table and writes to the folder given by -out: results.jsonl, one object for each figure with every
// single value, the load of the machine and the versions, and results.txt, the same as benchstat reads it.
// Measurements that compare two things do so in one run, taking turns.
package main
