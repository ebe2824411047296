//go:build !unix

package tlsfiles

import "io/fs"

// lentByRoot: there is no root here.
func lentByRoot(fs.FileInfo) bool { return false }
