package node

import (
	"errors"
	"os"
	"path/filepath"
)

// writeFileDurably replaces a file so that after a crash the old or the new
// content is there, whole. When it returns, the new one is on disk.
func writeFileDurably(path string, content []byte) error {
	if err := writeFile(path, content, true); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// replaceFile replaces a file so that a reader sees the old or the new content,
// whole. It is for views that are written again at start: no fsync.
func replaceFile(path string, content []byte) error { return writeFile(path, content, false) }

func writeFile(path string, content []byte, durable bool) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	_, err = temporary.Write(content)
	if err == nil && durable {
		err = temporary.Sync()
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
