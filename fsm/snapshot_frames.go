package fsm

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// frameReader reads frames and sums up what it read.
type frameReader struct {
	in   *bufio.Reader
	sum  hash.Hash
	size int64
	buf  []byte
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{in: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
}

// frame reads one frame; its body is valid until the next read.
func (in *frameReader) frame() (pb.SnapshotKind, []byte, error) {
	// The peek may be shorter than what was asked for, at the end.
	head, err := in.in.Peek(1 + binary.MaxVarintLen64)
	if len(head) < 2 {
		return 0, nil, failed(err)
	}
	n, size := binary.Uvarint(head[1:])
	if size <= 0 || n > maxFrame {
		return 0, nil, damaged("the length of a record is not readable")
	}
	kind := pb.SnapshotKind(head[0])
	if _, err := in.take(1 + size); err != nil {
		return 0, nil, err
	}
	body, err := in.take(int(n))
	return kind, body, err
}

// take reads exactly n bytes. Memory grows with what came, not with n, which a
// damaged length may have made large.
func (in *frameReader) take(n int) ([]byte, error) {
	const step = 1 << 20
	in.buf = in.buf[:0]
	for len(in.buf) < n {
		have := len(in.buf)
		part := min(n-have, step)
		in.buf = slices.Grow(in.buf, part)[:have+part]
		if _, err := io.ReadFull(in.in, in.buf[have:]); err != nil {
			return nil, failed(err)
		}
	}
	in.sum.Write(in.buf)
	in.size += int64(n)
	return in.buf, nil
}

// failed tells a snapshot that ends too early from one that cannot be read.
func failed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends early")
	}
	return fmt.Errorf("the snapshot cannot be read: %w", err)
}
