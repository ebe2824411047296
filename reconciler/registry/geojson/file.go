package geojson

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// maxFileBytes is the largest file that 32-bit offsets can address.
const maxFileBytes = 1<<32 - 1

// stamp tells one state of a file from another without reading it.
type stamp struct {
	size    int64
	changed time.Time
}

// statFile returns the file's stamp. Root keeps the path inside the directory, also through links.
func statFile(directory, path string) (stamp, error) {
	root, err := openRoot(directory)
	if err != nil {
		return stamp{}, err
	}
	defer closeQuietly(root)
	info, err := root.Stat(path)
	if err != nil {
		return stamp{}, fileError(path, err)
	}
	return stampOf(path, info)
}

// readFile returns the file's content and the stamp it had.
func readFile(directory, path string, limit int64) ([]byte, stamp, error) {
	// A FIFO would block the open: look before.
	if _, err := statFile(directory, path); err != nil {
		return nil, stamp{}, err
	}
	root, err := openRoot(directory)
	if err != nil {
		return nil, stamp{}, err
	}
	defer closeQuietly(root)
	file, err := root.Open(path)
	if err != nil {
		return nil, stamp{}, fileError(path, err)
	}
	defer closeQuietly(file)
	info, err := file.Stat()
	if err != nil {
		return nil, stamp{}, fileError(path, err)
	}
	read, err := stampOf(path, info)
	if err != nil {
		return nil, stamp{}, err
	}
	content, err := readAtMost(file, info.Size(), limit)
	if err != nil {
		return nil, stamp{}, fileError(path, err)
	}
	return content, read, nil
}

var errTooLarge = errors.New("the file is too large")

// readAtMost reads a file that may grow while it is read.
func readAtMost(file io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", errTooLarge, size, limit)
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(file, content); err != nil {
		return nil, err
	}
	return content, nil
}

func openRoot(directory string) (*os.Root, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, fmt.Errorf("%w: data directory %q cannot be opened: %s", registry.ErrUnavailable, directory, reason(err))
	}
	return root, nil
}

func stampOf(path string, info fs.FileInfo) (stamp, error) {
	if !info.Mode().IsRegular() {
		return stamp{}, fmt.Errorf("%w: %q is not a regular file", registry.ErrUnavailable, path)
	}
	return stamp{size: info.Size(), changed: info.ModTime()}, nil
}

func fileError(path string, err error) error {
	return fmt.Errorf("%w: file %q: %s", registry.ErrUnavailable, path, reason(err))
}

// reason is the cause without the path, which the message has already.
func reason(err error) string {
	switch pathErr := (*fs.PathError)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it shrank while it was read"
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return err.Error()
}

// closeQuietly closes what was only read from: nothing can be lost.
func closeQuietly(c io.Closer) { _ = c.Close() }
