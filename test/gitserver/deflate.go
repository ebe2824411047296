package gitserver

import (
	"compress/zlib"
	"io"
	"sync"
)

// compressors are used again: each new one takes about a megabyte of memory, whatever it is to compress.
var compressors = sync.Pool{New: func() any { return zlib.NewWriter(io.Discard) }}

// deflate compresses what can be read, as Git stores objects.
func deflate(to io.Writer, content io.Reader) error {
	w, _ := compressors.Get().(*zlib.Writer)
	defer compressors.Put(w)
	w.Reset(to)
	if _, err := io.Copy(w, content); err != nil {
		return err
	}
	return w.Close()
}
