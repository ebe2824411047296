package gitsync

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// objectStore is one objects folder: packs, and objects that are files of their own.
type objectStore struct {
	dir    string
	packs  []*storedPack
	looked bool
	scrap  *scrap
	buffer []byte
}

// storedPack is a pack with its index; the pack is opened when something of it is read.
type storedPack struct {
	path    string
	index   *idxfile.MemoryIndex
	file    *os.File
	scanner *packfile.Scanner
}

// place is where an object is: in a pack, or in a file of its own.
type place struct {
	pack   *storedPack
	offset int64
	file   string
}

func newObjectStore(dir string, room *scrap) *objectStore {
	return &objectStore{dir: dir, scrap: room, buffer: make([]byte, 32<<10)}
}

func (s *objectStore) close() {
	for _, p := range s.packs {
		if p.file != nil {
			_ = p.file.Close() // nothing was written
		}
	}
}

// locate finds an object; it fails with fs.ErrNotExist if it is not here.
func (s *objectStore) locate(hash plumbing.Hash) (place, error) {
	if err := s.look(); err != nil {
		return place{}, err
	}
	for _, p := range s.packs {
		offset, err := p.index.FindOffset(hash)
		if err == nil {
			return place{pack: p, offset: offset}, nil
		}
		if !errors.Is(err, plumbing.ErrObjectNotFound) {
			return place{}, err
		}
	}
	name := hash.String()
	file := filepath.Join(s.dir, name[:2], name[2:])
	if _, err := os.Lstat(file); err != nil {
		return place{}, err
	}
	return place{file: file}, nil
}

// look reads the packs' indexes, once.
func (s *objectStore) look() error {
	if s.looked {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "pack", "pack-*.idx"))
	if err != nil {
		return err
	}
	for _, name := range names {
		index, err := readIndex(name)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		s.packs = append(s.packs, &storedPack{path: strings.TrimSuffix(name, ".idx") + ".pack", index: index})
	}
	s.looked = true
	return nil
}

func readIndex(name string) (index *idxfile.MemoryIndex, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	index = idxfile.NewMemoryIndex()
	return index, idxfile.NewDecoder(file).Decode(index)
}

// open opens the pack's file.
func (p *storedPack) open() error {
	if p.file != nil {
		return nil
	}
	file, err := os.Open(p.path)
	if err != nil {
		return err
	}
	p.file, p.scanner = file, packfile.NewScanner(file)
	return nil
}

// read returns an object of at most limit bytes, or errTooLarge before it is unpacked.
func (s *objectStore) read(at place, limit int64) (plumbing.ObjectType, []byte, error) {
	if at.pack == nil {
		return readLoose(at.file, limit)
	}
	if err := at.pack.open(); err != nil {
		return plumbing.InvalidObject, nil, err
	}
	return s.readPacked(at.pack, at.offset, limit)
}

// storeError tells a store that cannot be read at all from one whose content is wrong.
func storeError(hash plumbing.Hash, err error) error {
	var system *os.PathError
	var known *failure
	switch {
	case errors.Is(err, errTooLarge), errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s", ErrMissingObject, hash)
	case errors.As(err, &system):
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrDamaged, hash, err)
}
