// Package tlsfiles serves TLS from PEM files that may be replaced while the
// program runs, tells the roles of peers apart by the names in their
// certificates, and issues the certificates of a small cluster.
//
// A server of cluster C carries the DNS name "server.C.honua": only such a
// certificate may speak for a node. A client's certificate, though signed by the
// same authority, carries no such name.
package tlsfiles
