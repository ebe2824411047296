package durable

import (
	"io"
	"os"
)

// Directories is the part of a file system that makes and lists directories.
type Directories interface {
	// MkdirAll makes a directory and those above it, unless they are there.
	MkdirAll(name string, mode os.FileMode) error
	// ReadDir returns the names in a directory, sorted.
	ReadDir(name string) ([]string, error)
}

// FS is what keeping files safely needs of a file system. Disk is the machine's
// own; the simulator has one that forgets what was not synced. Names and errors
// are those of package os.
type FS interface {
	Directories
	// OpenFile opens a file, or a directory for its Sync alone.
	OpenFile(name string, flag int, mode os.FileMode) (File, error)
	// CreateTemp makes a file of mode 0600 that nobody else has; the last * of
	// the pattern stands for what tells it from others.
	CreateTemp(directory, pattern string) (name string, file File, err error)
	Rename(from, to string) error
	Remove(name string) error
}

// File is an open file.
type File interface {
	io.ReadWriteCloser
	io.Seeker
	Truncate(size int64) error
	// Sync returns when what was written, or what a directory names, is on disk.
	Sync() error
}

// Disk is the machine's own file system.
type Disk struct{}

// MkdirAll is os.MkdirAll.
func (Disk) MkdirAll(name string, mode os.FileMode) error { return os.MkdirAll(name, mode) }

// ReadDir is os.ReadDir without what it knows of the entries.
func (Disk) ReadDir(name string) ([]string, error) {
	entries, err := os.ReadDir(name)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// OpenFile is os.OpenFile.
func (Disk) OpenFile(name string, flag int, mode os.FileMode) (File, error) {
	file, err := os.OpenFile(name, flag, mode)
	if err != nil {
		return nil, err // not file: a nil *os.File would be a File that is not nil
	}
	return file, nil
}

// CreateTemp is os.CreateTemp.
func (Disk) CreateTemp(directory, pattern string) (string, File, error) {
	file, err := os.CreateTemp(directory, pattern)
	if err != nil {
		return "", nil, err
	}
	return file.Name(), file, nil
}

// Rename is os.Rename.
func (Disk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (Disk) Remove(name string) error { return os.Remove(name) }
