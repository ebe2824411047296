// Package durable replaces files so that a crash leaves the old one or the new one, whole.
package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write has fill write a new file beside path, mode 0600, and puts it there once it is on disk. If anything fails, path
// stays as it was and nothing is left behind. A failed fsync is never tried again: the pages may be lost.
func Write(path string, fill func(File) error) error { return Files{Disk{}}.Write(path, fill) }

// WriteFile is Write for a content that is at hand.
func WriteFile(path string, content []byte) error { return Files{Disk{}}.WriteFile(path, content) }

// SyncDirectory puts the names in a directory on disk: of what was made, renamed or removed in it.
func SyncDirectory(path string) error { return Files{Disk{}}.SyncDirectory(path) }

// Files does the same on a file system of the caller's choice.
type Files struct{ FS }

// Write is the function of that name.
func (f Files) Write(path string, fill func(File) error) error {
	err := f.put(path, func(file File) error {
		if err := fill(file); err != nil {
			return err
		}
		return file.Sync()
	})
	if err != nil {
		return err
	}
	return f.SyncDirectory(filepath.Dir(path))
}

// WriteFile is the function of that name.
func (f Files) WriteFile(path string, content []byte) error {
	return f.Write(path, func(file File) error {
		_, err := file.Write(content)
		return err
	})
}

// Replace is WriteFile without waiting for the disk: a reader sees the old content or the new one, whole, and a crash
// may lose the new one. It is for what is written again at start.
func (f Files) Replace(path string, content []byte) error {
	return f.put(path, func(file File) error {
		_, err := file.Write(content)
		return err
	})
}

// ReadFile reads the whole file.
func (f Files) ReadFile(path string) ([]byte, error) {
	file, err := f.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	return content, errors.Join(err, file.Close())
}

func (f Files) put(path string, fill func(File) error) error {
	name, file, err := f.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	err = fill(file)
	if err = errors.Join(err, file.Close()); err == nil {
		err = f.Rename(name, path)
	}
	if err != nil {
		return errors.Join(err, f.Remove(name))
	}
	return nil
}

// SyncDirectory is the function of that name.
func (f Files) SyncDirectory(path string) error {
	directory, err := f.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
