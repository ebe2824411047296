//go:build unix

package tlsfiles

import (
	"io/fs"
	"syscall"
)

func belongsToRoot(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0
}
