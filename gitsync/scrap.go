package gitsync

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

const (
	// maxKeptMemory bounds what is kept in memory for deltas to build on; what is beyond is kept in files.
	maxKeptMemory = 32 * mib
	// maxKeptFiles bounds the sum of those files.
	maxKeptFiles = 2 * gib
)

// scrap is room for contents that are needed for a while.
type scrap struct {
	// dir is where files are made; they are removed at once, and go when they are closed.
	dir    string
	memory int64
	files  int64
}

// kept is a content that is written once, completely, and then read at any place.
type kept struct {
	at   io.ReaderAt
	size int64

	written int64
	data    []byte
	file    *os.File
	scrap   *scrap
}

// room makes room for a content of a size, which is not more than that.
func (s *scrap) room(size int64) (*kept, error) {
	if s.memory+size <= maxKeptMemory {
		s.memory += size
		k := &kept{size: size, data: make([]byte, size), scrap: s}
		k.at = bytes.NewReader(k.data)
		return k, nil
	}
	if s.files+size > maxKeptFiles {
		return nil, fmt.Errorf("%w: its deltas need more than %d bytes at once", ErrTransferSize, int64(maxKeptFiles))
	}
	file, err := os.CreateTemp(s.dir, "tmp_base_*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	s.files += size
	return &kept{at: file, size: size, file: file, scrap: s}, nil
}

// Write implements io.Writer.
func (k *kept) Write(p []byte) (int, error) {
	if k.written+int64(len(p)) > k.size {
		return 0, io.ErrShortWrite
	}
	var n int
	var err error
	if k.file != nil {
		n, err = k.file.Write(p)
	} else {
		n = copy(k.data[k.written:], p)
	}
	k.written += int64(n)
	return n, err
}

// release gives the room back; nil has none.
func (k *kept) release() {
	if k == nil || k.scrap == nil {
		return
	}
	if k.file != nil {
		k.scrap.files -= k.size
		_ = k.file.Close() // it is removed already
	} else {
		k.scrap.memory -= k.size
	}
	k.scrap = nil
}
