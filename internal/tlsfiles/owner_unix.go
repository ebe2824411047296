//go:build unix

package tlsfiles

import (
	"io/fs"
	"os"
	"syscall"
)

// lentByRoot reports whether a file belongs to root and this process is not root.
func lentByRoot(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0 && os.Geteuid() != 0
}
