package main

import (
	"golang.org/x/sys/unix"

	"github.com/honua-io/honua-gitops/api/web"
)

// diskOf measures the file system that a directory is on.
func diskOf(directory string) (web.Disk, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(directory, &s); err != nil {
		return web.Disk{}, err
	}
	block := uint64(s.Bsize)
	return web.Disk{Free: s.Bavail * block, Size: s.Blocks * block}, nil
}
