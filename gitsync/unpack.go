package gitsync

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

const (
	// maxPackObjects bounds what an index costs: some hundred bytes of memory each.
	maxPackObjects = 1_000_000
	// maxUnpackedBytes bounds the sum of what a pack's objects unpack to, deltas applied.
	maxUnpackedBytes = 8 * gib
	// reservedType is a kind of object that does not exist yet.
	reservedType = plumbing.ObjectType(5)
	// maxDeltaDepth is git's own limit of a chain of deltas.
	maxDeltaDepth = 4095
)

// unpacking is a pack that is being indexed. The library's own way needs the memory for each object as a whole; here
// objects are hashed as they are unpacked, so that what is small on the wire and huge afterwards costs time alone.
// What serves as the base of a delta is kept, in memory or in a file, within bounds.
type unpacking struct {
	// check ends the work with an error when its time is over.
	check  func() error
	index  *idxfile.Writer
	whole  []whole
	deltas []delta
	// left is what may still be unpacked.
	left   int64
	scrap  scrap
	buffer []byte
}

// whole is an object that is stored as it is.
type whole struct {
	offset int64
	kind   plumbing.ObjectType
	name   plumbing.Hash
}

// delta is an object that is stored as a difference from another one of the pack.
type delta struct {
	offset int64
	crc    uint32
	// base is the offset of what it differs from, or 0 and baseName its name.
	base     int64
	baseName plumbing.Hash
}

// indexPack reads a pack that passes through stream, completely, and says what it holds. file holds what was read.
func indexPack(ctx context.Context, stream io.Reader, file *os.File) (*idxfile.MemoryIndex, plumbing.Hash, error) {
	u := &unpacking{
		check: ctx.Err, index: &idxfile.Writer{}, left: maxUnpackedBytes,
		scrap: scrap{dir: filepath.Dir(file.Name())}, buffer: make([]byte, 32<<10),
	}
	scanner := packfile.NewScanner(struct{ io.Reader }{stream}) // not seekable: it is still on its way
	_, count, err := scanner.Header()
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if count > maxPackObjects {
		return nil, plumbing.ZeroHash, fmt.Errorf("%w: a pack of %d objects, at most %d are read", ErrTransferSize, count, maxPackObjects)
	}
	for range count {
		if err := u.next(scanner); err != nil {
			return nil, plumbing.ZeroHash, err
		}
	}
	checksum, err := scanner.Checksum()
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if err := endsWith(file, checksum); err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if err := u.resolve(packfile.NewScanner(file)); err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if err := u.index.OnFooter(checksum); err != nil {
		return nil, plumbing.ZeroHash, err
	}
	made, err := u.index.Index()
	return made, checksum, err
}

// next reads the next object as it arrives. Differences are looked at when everything is there.
func (u *unpacking) next(scanner *packfile.Scanner) error {
	if err := u.check(); err != nil {
		return err
	}
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	if err := u.spend(header.Length); err != nil {
		return err
	}
	if !header.Type.Valid() || header.Type == reservedType {
		return fmt.Errorf("an object of kind %d", header.Type)
	}
	if header.Type.IsDelta() {
		return u.difference(scanner, header)
	}
	hasher := plumbing.NewHasher(header.Type, header.Length)
	crc, err := readObject(scanner, header, hasher)
	if err != nil {
		return err
	}
	u.whole = append(u.whole, whole{header.Offset, header.Type, hasher.Sum()})
	u.index.Add(hasher.Sum(), uint64(header.Offset), crc)
	return nil
}

// difference reads a delta as it arrives: what it claims to make is counted now, before anything is made of it.
func (u *unpacking) difference(scanner *packfile.Scanner, header *packfile.ObjectHeader) error {
	var start beginning
	crc, err := readObject(scanner, header, &start)
	if err != nil {
		return err
	}
	_, size, err := patchSizes(bufio.NewReader(bytes.NewReader(start.bytes)))
	if err != nil {
		return err
	}
	u.deltas = append(u.deltas, delta{header.Offset, crc, header.OffsetReference, header.Reference})
	return u.spend(size)
}

func readObject(scanner *packfile.Scanner, header *packfile.ObjectHeader, to io.Writer) (crc uint32, err error) {
	written, crc, err := scanner.NextObject(to)
	if err == nil && written != header.Length {
		err = fmt.Errorf("an object of %d bytes instead of %d", written, header.Length)
	}
	return crc, err
}

// beginning keeps as much of what is written as the sizes of a delta take.
type beginning struct{ bytes []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.bytes = append(b.bytes, p[:min(len(p), 32-len(b.bytes))]...)
	return len(p), nil
}

// spend counts what is unpacked, before it is.
func (u *unpacking) spend(bytes int64) error {
	if bytes > u.left {
		return fmt.Errorf("%w: the pack unpacks to more than %d bytes", ErrTransferSize, int64(maxUnpackedBytes))
	}
	u.left -= bytes
	return nil
}

// endsWith refuses what comes behind a pack: the file would be no pack for others.
func endsWith(file *os.File, checksum plumbing.Hash) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var last plumbing.Hash
	if _, err := file.ReadAt(last[:], end-int64(len(last))); err != nil {
		return err
	}
	if last != checksum {
		return errors.New("there is something behind its end")
	}
	return nil
}
