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
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	err = fill(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
