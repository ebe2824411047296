// Package durable replaces files so that a crash leaves the old one or the new one, whole.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Write has fill write a new file beside path, mode 0600, and puts it there once it is on disk. If anything fails, path
// stays as it was and nothing is left behind. A failed fsync is never tried again: the pages may be lost.
func Write(path string, fill func(*os.File) error) error {
	err := put(path, func(file *os.File) error {
		if err := fill(file); err != nil {
			return err
		}
		return file.Sync()
	})
	if err != nil {
		return err
	}
	return SyncDirectory(filepath.Dir(path))
}

// WriteFile is Write for a content that is at hand.
func WriteFile(path string, content []byte) error { return Write(path, writing(content)) }

// Replace is WriteFile without waiting for the disk: a reader sees the old content or the new one, whole, and a crash
// may lose the new one. It is for what is written again at start.
func Replace(path string, content []byte) error { return put(path, writing(content)) }

func writing(content []byte) func(*os.File) error {
	return func(file *os.File) error {
		_, err := file.Write(content)
		return err
	}
}

func put(path string, fill func(*os.File) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	err = fill(file)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// SyncDirectory puts the names in a directory on disk: of what was made, renamed or removed in it.
func SyncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
