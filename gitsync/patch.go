package gitsync

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

var errDelta = errors.New("a malformed delta")

// patch is a delta that is being applied to its base, as gitformat-pack(5) describes it. It needs no memory for the
// content that it makes.
type patch struct {
	script *bufio.Reader
	base   *kept
	// size is that of what comes out, as the delta claims it.
	size   int64
	buffer []byte
}

func newPatch(script io.Reader, base *kept, buffer []byte) (*patch, error) {
	p := &patch{script: bufio.NewReader(script), base: base, buffer: buffer}
	from, to, err := patchSizes(p.script)
	if err != nil {
		return nil, err
	}
	if from != base.size {
		return nil, fmt.Errorf("%w: it is for a base of %d bytes, which has %d", errDelta, from, base.size)
	}
	p.size = to
	return p, nil
}

// patchSizes reads the sizes with which a delta begins: of its base, and of what comes out.
func patchSizes(script *bufio.Reader) (from, to int64, err error) {
	if from, err = patchSize(script); err == nil {
		to, err = patchSize(script)
	}
	return from, to, err
}

// patchSize reads a size: seven bits in each byte, the lowest first.
func patchSize(script *bufio.Reader) (int64, error) {
	var n int64
	for shift := 0; shift < 63; shift += 7 {
		b, err := script.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errDelta, err)
		}
		n |= int64(b&0x7f) << shift
		if b < 0x80 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: a size without end", errDelta)
}

// apply writes what comes out, which is of the size that the delta claims or an error. check is asked before each part
// of it, and ends it with its error.
func (p *patch) apply(to io.Writer, check func() error) error {
	left := p.size
	for {
		op, err := p.script.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var part io.Reader
		var length int64
		switch {
		case op == 0:
			return fmt.Errorf("%w: a reserved instruction", errDelta)
		case op < 0x80:
			part, length = p.script, int64(op)
		default:
			var offset int64
			if offset, length, err = p.place(op); err != nil {
				return err
			}
			part = io.NewSectionReader(p.base.at, offset, length)
		}
		if length > left {
			return fmt.Errorf("%w: more comes out than it claims", errDelta)
		}
		if err := check(); err != nil {
			return err
		}
		if err := p.pass(to, part, length); err != nil {
			return err
		}
		left -= length
	}
	if left > 0 {
		return fmt.Errorf("%w: less comes out than it claims", errDelta)
	}
	return nil
}

// place reads which part of the base is copied: the bits of the instruction say which bytes follow.
func (p *patch) place(op byte) (offset, length int64, err error) {
	for bit := range 7 {
		if op&(1<<bit) == 0 {
			continue
		}
		b, err := p.script.ReadByte()
		if err != nil {
			return 0, 0, fmt.Errorf("%w: %w", errDelta, err)
		}
		if bit < 4 {
			offset |= int64(b) << (8 * bit)
		} else {
			length |= int64(b) << (8 * (bit - 4))
		}
	}
	if length == 0 {
		length = 0x10000
	}
	if offset > p.base.size-length {
		return 0, 0, fmt.Errorf("%w: it copies from beyond the end of its base", errDelta)
	}
	return offset, length, nil
}

func (p *patch) pass(to io.Writer, part io.Reader, length int64) error {
	n, err := io.CopyBuffer(to, io.LimitReader(part, length), p.buffer)
	if err == nil && n < length {
		err = fmt.Errorf("%w: it ends too early", errDelta)
	}
	return err
}
