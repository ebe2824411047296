// Package bundle is the canonical form of a content: the files of one
// environment at one commit, as they are replicated, stored and identified.
//
// Equal files make equal bytes, whoever encodes them and in whatever order the
// files are given; the SHA-256 of those bytes is the content's digest.
package bundle
