//go:build !unix

package tlsfiles

import "io/fs"

// belongsToRoot: there is no root here.
func belongsToRoot(fs.FileInfo) bool { return false }
