// Package registry is the local Honua registry: for each environment one immutable catalog, replaced by swapping one
// pointer, and the drivers that read its data sources.
//
// A Catalog is built for one (environment, digest) and counts its users. A request acquires the current catalog,
// reads everything it needs from that one, and releases it; a swap in between changes nothing for it. When the last
// user of a replaced catalog has gone, its data sources are let go, and those no other catalog uses are closed.
//
// A catalog is built in one of two ways. Strict is for staging: every source is opened and every layer compared with
// it, and any finding keeps the catalog from being built. Structural is for start-up and catch-up: nothing is opened,
// so that an unreachable source makes its own layers unavailable and not the node; sources open when first asked.
//
// Connection strings stay unexpanded in every message. What a placeholder stands for is read on the node when a
// source is opened, and is cut out of whatever error a driver returns.
package registry
