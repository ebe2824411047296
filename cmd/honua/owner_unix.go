//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// actAsOwner has a process that runs as root go on as the user and the group that a file belongs to. What root wrote
// beside it could not be read by whoever the file is of.
func actAsOwner(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 || os.Geteuid() != 0 {
		return nil
	}
	user, group := int(owner.Uid), int(owner.Gid)
	if err := errors.Join(syscall.Setgroups([]int{group}), syscall.Setgid(group), syscall.Setuid(user)); err != nil {
		return fmt.Errorf("%s belongs to user %d, whom this process cannot become: run the command as that user: %w", path, user, err)
	}
	return nil
}
