package gitsync

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// readPacked unpacks an object. If it is a difference, what it builds on is unpacked within the bounds of scrap: a small
// file may be a difference from a huge one.
func (s *objectStore) readPacked(p *storedPack, offset, limit int64) (plumbing.ObjectType, []byte, error) {
	chain, root, err := p.chain(offset)
	if err != nil {
		return plumbing.InvalidObject, nil, err
	}
	size := root.Length
	if len(chain) > 0 {
		if size, err = p.resultSize(chain[0]); err != nil {
			return plumbing.InvalidObject, nil, err
		}
	}
	if size > limit {
		return plumbing.InvalidObject, nil, fmt.Errorf("%w: %d bytes of at most %d", errTooLarge, size, limit)
	}
	content, err := s.unpackAt(p, root)
	for i := len(chain) - 1; i >= 0 && err == nil; i-- {
		content, err = s.patched(p, chain[i], content)
	}
	if err != nil {
		return plumbing.InvalidObject, nil, err
	}
	defer content.release()
	data := content.data
	if data == nil {
		data = make([]byte, content.size)
		_, err = content.at.ReadAt(data, 0)
	}
	return root.Type, data, err
}

// chain follows an object to what it builds on: the places of the differences, the last one first, and the whole object
// below them.
func (p *storedPack) chain(offset int64) (differences []int64, root *packfile.ObjectHeader, err error) {
	for len(differences) <= maxDeltaDepth {
		header, err := p.scanner.SeekObjectHeader(offset)
		if err != nil {
			return nil, nil, err
		}
		if !header.Type.IsDelta() {
			return differences, header, nil
		}
		differences = append(differences, offset)
		if offset = header.OffsetReference; header.Type == plumbing.REFDeltaObject {
			if offset, err = p.index.FindOffset(header.Reference); err != nil {
				return nil, nil, errNoBase
			}
		}
	}
	return nil, nil, errDeepened
}

// script opens the difference at a place.
func (p *storedPack) script(offset int64) (io.ReadCloser, error) {
	if _, err := p.scanner.SeekObjectHeader(offset); err != nil {
		return nil, err
	}
	return p.scanner.ReadObject()
}

// resultSize is the size that a difference claims to make.
func (p *storedPack) resultSize(offset int64) (int64, error) {
	script, err := p.script(offset)
	if err != nil {
		return 0, err
	}
	defer func() { _ = script.Close() }()
	_, size, err := patchSizes(bufio.NewReaderSize(script, 32))
	return size, err
}

func (s *objectStore) unpackAt(p *storedPack, root *packfile.ObjectHeader) (*kept, error) {
	if _, err := p.scanner.SeekObjectHeader(root.Offset); err != nil {
		return nil, err
	}
	content, err := s.scrap.room(root.Length)
	if err != nil {
		return nil, err
	}
	n, _, err := p.scanner.NextObject(content)
	if err == nil && n != root.Length {
		err = fmt.Errorf("an object of %d bytes instead of %d", n, root.Length)
	}
	if err != nil {
		content.release()
		return nil, err
	}
	return content, nil
}

// patched is what a difference makes of a content, whose room it gives back.
func (s *objectStore) patched(p *storedPack, offset int64, base *kept) (*kept, error) {
	defer base.release()
	script, err := p.script(offset)
	if err != nil {
		return nil, err
	}
	defer func() { _ = script.Close() }()
	change, err := newPatch(script, base, s.buffer)
	if err != nil {
		return nil, err
	}
	content, err := s.scrap.room(change.size)
	if err != nil {
		return nil, err
	}
	// Nothing ends it here: the process is killed if it takes longer than FetchTimeout.
	if err := change.apply(content, func() error { return nil }); err != nil {
		content.release()
		return nil, err
	}
	return content, nil
}

// maxLooseHeader is more than "commit", a space and the longest size.
const maxLooseHeader = 32

// readLoose reads an object that is a file of its own.
func readLoose(name string, limit int64) (kind plumbing.ObjectType, content []byte, err error) {
	file, err := os.Open(name)
	if err != nil {
		return kind, nil, err
	}
	defer func() { _ = file.Close() }()
	inflated, err := zlib.NewReader(bufio.NewReader(file))
	if err != nil {
		return kind, nil, err
	}
	reader := bufio.NewReader(inflated)
	var header strings.Builder
	for {
		b, err := reader.ReadByte()
		if err != nil {
			return kind, nil, err
		}
		if b == 0 {
			break
		}
		if header.WriteByte(b); header.Len() > maxLooseHeader {
			return kind, nil, errors.New("it has no header")
		}
	}
	word, number, _ := strings.Cut(header.String(), " ")
	if kind, err = plumbing.ParseObjectType(word); err != nil {
		return kind, nil, err
	}
	size, err := strconv.ParseInt(number, 10, 64)
	if err != nil || size < 0 {
		return kind, nil, errors.New("its size is no number")
	}
	if size > limit {
		return kind, nil, fmt.Errorf("%w: %d bytes of at most %d", errTooLarge, size, limit)
	}
	content = make([]byte, size)
	if _, err := io.ReadFull(reader, content); err != nil {
		return kind, nil, err
	}
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		return kind, nil, errors.New("it is larger than it says, or damaged at its end")
	}
	return kind, content, nil
}
