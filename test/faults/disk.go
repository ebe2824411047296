//go:build linux

package faults

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/honua-io/honua-gitops/internal/durable"
)

const (
	// shutdownRequest is EXT4_IOC_SHUTDOWN, shutdownNoFlush its flag NOLOGFLUSH: what is not on the disk yet is lost,
	// the file system's own journal included.
	shutdownRequest = 0x8004587d
	shutdownNoFlush = uint32(2)
	ballast         = ".ballast"
)

// Disk is an ext4 file system of its own, in a file.
type Disk struct {
	// Path is where it is mounted.
	Path string

	image   string
	mounted bool
}

// NewDisk makes a disk of a size in megabytes, mounted below a directory.
func NewDisk(directory, name string, megabytes int64) (*Disk, error) {
	d := &Disk{Path: filepath.Join(directory, name), image: filepath.Join(directory, name+".ext4")}
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return nil, err
	}
	image, err := os.Create(d.image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(image.Truncate(megabytes<<20), image.Close()); err != nil {
		return nil, err
	}
	// No reserve for root: tests run as root, and a full disk has to be full for them.
	if err := run("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", d.image); err != nil {
		return nil, err
	}
	return d, d.mount()
}

func (d *Disk) mount() error {
	if err := run("mount", "-t", "ext4", "-o", "loop,errors=remount-ro", d.image, d.Path); err != nil {
		return err
	}
	d.mounted = true
	return os.Chmod(d.Path, 0o700)
}

// CutPower loses at once what was written and not synced, and fails all that is written from now on.
func (d *Disk) CutPower() error {
	directory, err := os.Open(d.Path)
	if err != nil {
		return err
	}
	flags := shutdownNoFlush
	err = unix.IoctlSetPointerInt(int(directory.Fd()), shutdownRequest, int(flags))
	return errors.Join(err, directory.Close())
}

// Restore mounts the disk anew, as after a power loss. No process may use it.
func (d *Disk) Restore() error {
	if err := d.unmount(); err != nil {
		return err
	}
	return d.mount()
}

// MakeReadOnly has the kernel find an error in the file system: it lets nobody write any more.
func (d *Disk) MakeReadOnly() error {
	var stat unix.Stat_t
	if err := unix.Stat(d.Path, &stat); err != nil {
		return err
	}
	device, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev)))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(device), "trigger_fs_error"), []byte("made by a test"), 0)
}

// Fill leaves no room on the disk.
func (d *Disk) Fill() error {
	file, err := os.OpenFile(filepath.Join(d.Path, ballast), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	// What is written is given room when it is synced, and then there is some left again.
	for written := int64(1); written > 0 && err == nil; {
		written, err = io.Copy(file, zeros{})
		if errors.Is(err, syscall.ENOSPC) {
			err = unix.Syncfs(int(file.Fd()))
		}
	}
	return errors.Join(err, file.Close())
}

// MakeRoom undoes Fill, and a power loss does not undo that.
func (d *Disk) MakeRoom() error {
	if err := os.Remove(filepath.Join(d.Path, ballast)); err != nil {
		return err
	}
	return durable.SyncDirectory(d.Path)
}

// Close unmounts the disk and deletes it. Processes that still use it keep it alive until they end.
func (d *Disk) Close() error {
	var err error
	if d.mounted {
		err = run("umount", "--lazy", d.Path)
	}
	return errors.Join(err, os.Remove(d.image))
}

func (d *Disk) unmount() error {
	if err := run("umount", d.Path); err != nil {
		return err
	}
	d.mounted = false
	return nil
}

type zeros struct{}

// Read gives zeros for ever, a block at a time.
func (zeros) Read(p []byte) (int, error) {
	p = p[:min(len(p), 4096)]
	clear(p)
	return len(p), nil
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
