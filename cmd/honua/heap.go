package main

import "runtime"

// heapReserve is memory that the garbage collector counts as in use. It is
// never touched, so it takes addresses and no memory. A node with a small
// configuration has some 15 MB in use, so that the collector would run after
// every 15 MB allocated, many times a second under load, for a sixth of the
// processor's time; with the reserve it runs half as often. Unlike a higher
// GOGC it doesn't cost a node with a long history hundreds of megabytes.
const heapReserve = 16 << 20

// reserveHeap returns what to call when the reserve is no longer needed.
func reserveHeap() (release func()) {
	reserve := make([]byte, heapReserve)
	return func() { runtime.KeepAlive(reserve) }
}
