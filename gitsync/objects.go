package gitsync

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

const (
	maxAlternates  = 16
	maxTreeBytes   = 8 * mib
	maxCommitBytes = 1 * mib
	// maxRecentBytes bounds the folders and commits that are remembered.
	maxRecentBytes = 32 * mib
)

// errTooLarge is an object over the size that the reader allows.
var errTooLarge = errors.New("object too large")

// objects reads a repository's objects, and believes nothing: the size is looked up before the
// content is read, and the content must hash to the name it was asked for by.
type objects struct {
	layout layout
	stores []*objectStore
	// remembered are folders and commits that were read, of recentBytes in all.
	remembered  map[plumbing.Hash]recentObject
	recentBytes int64
	// compared and lines are what was found about pairs of folders and about deployed commits: environments that are
	// read together ask for the same.
	compared map[[2]plumbing.Hash]int
	lines    map[[2]string]lineage
	// shallow are the commits whose parents were cut off when the repository was cloned.
	shallow map[string]bool
}

type recentObject struct {
	kind    plumbing.ObjectType
	content []byte
}

// openObjects opens the object store of a repository and those that it borrows from. scratch is where large contents
// are unpacked to for a moment; "" means the system's folder for temporary files.
func openObjects(l layout, scratch string) (*objects, error) {
	o := &objects{
		layout: l, remembered: map[plumbing.Hash]recentObject{}, compared: map[[2]plumbing.Hash]int{},
		lines: map[[2]string]lineage{}, shallow: map[string]bool{},
	}
	room := &scrap{dir: scratch}
	pending := []string{filepath.Join(l.common, "objects")}
	seen := map[string]bool{}
	for len(pending) > 0 {
		folder := pending[0]
		pending = pending[1:]
		if seen[folder] || !isDir(folder) {
			continue
		}
		if seen[folder] = true; len(seen) > maxAlternates || filepath.Base(folder) != "objects" {
			o.close()
			return nil, fmt.Errorf("%w: it borrows objects from %s", ErrUnsupported, folder)
		}
		o.stores = append(o.stores, newObjectStore(folder, room))
		borrowed, err := alternates(folder)
		if err != nil {
			o.close()
			return nil, err
		}
		pending = append(pending, borrowed...)
	}
	text, err := readSmall(filepath.Join(l.common, "shallow"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.close()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for sha := range strings.FieldsSeq(text) {
		o.shallow[sha] = true
	}
	return o, nil
}

// alternates lists the object folders that another one borrows from.
func alternates(folder string) ([]string, error) {
	text, err := readSmall(filepath.Join(folder, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var found []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, resolvePath(folder, line))
		}
	}
	return found, nil
}

func (o *objects) close() {
	for _, store := range o.stores {
		store.close()
	}
}

// has reports whether an object can be found; it does not read it.
func (o *objects) has(sha string) bool {
	_, _, err := o.find(plumbing.NewHash(sha))
	return err == nil
}

// find returns the store that holds an object, and where it is in it.
func (o *objects) find(hash plumbing.Hash) (*objectStore, place, error) {
	for _, store := range o.stores {
		at, err := store.locate(hash)
		if err == nil {
			return store, at, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, place{}, storeError(hash, err)
		}
	}
	return nil, place{}, fmt.Errorf("%w: %s", ErrMissingObject, hash)
}

// read returns an object's content, which is not to be changed. It fails with errTooLarge before reading if the object
// is larger than limit bytes.
func (o *objects) read(hash plumbing.Hash, kind plumbing.ObjectType, limit int64) ([]byte, error) {
	found, known := o.remembered[hash]
	if !known {
		store, at, err := o.find(hash)
		if err != nil {
			return nil, err
		}
		if found.kind, found.content, err = store.read(at, limit); err != nil {
			return nil, storeError(hash, err)
		}
		if got := plumbing.ComputeHash(found.kind, found.content); got != hash {
			return nil, fmt.Errorf("%w: %s holds what is named %s", ErrDamaged, hash, got)
		}
		o.remember(hash, found)
	}
	if found.kind != kind {
		return nil, fmt.Errorf("%w: %s is a %s instead of a %s", ErrDamaged, hash, found.kind, kind)
	}
	if size := int64(len(found.content)); size > limit {
		return nil, fmt.Errorf("%w: %d bytes of at most %d", errTooLarge, size, limit)
	}
	return found.content, nil
}

// remember keeps folders and commits, which are read again for each environment.
func (o *objects) remember(hash plumbing.Hash, object recentObject) {
	if object.kind == plumbing.BlobObject {
		return
	}
	size := int64(len(object.content))
	if o.recentBytes+size > maxRecentBytes {
		clear(o.remembered)
		o.recentBytes = 0
	}
	o.remembered[hash] = object
	o.recentBytes += size
}
