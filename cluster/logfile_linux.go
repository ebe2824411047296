package cluster

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockShared reports whether nobody writes to bbolt's file; until it is closed,
// nobody does.
func lockShared(file *os.File) bool {
	return unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil
}

// forgetCached has what is read come from the disk. After a failed fsync the
// kernel goes on showing what was not written, until it needs the memory: a node
// that was started again would count on it.
func forgetCached(file *os.File) {
	// The advice need not be taken, and where it is not, nothing else can be done.
	_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
}
