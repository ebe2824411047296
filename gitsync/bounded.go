package gitsync

import (
	"fmt"
	"io"
)

// boundedReader fails with ErrTransferSize instead of reading on for ever.
type boundedReader struct {
	from io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// A stream that ends exactly at the limit is fine.
		var probe [1]byte
		n, err := b.from.Read(probe[:])
		if n > 0 {
			return 0, fmt.Errorf("%w: the limit is reached", ErrTransferSize)
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.from.Read(p)
	b.left -= int64(n)
	return n, err
}
