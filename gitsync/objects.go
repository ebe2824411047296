package gitsync

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

const (
	objectCacheBytes = 32 * mib
	maxAlternates    = 16
	maxTreeBytes     = 8 * mib
	maxCommitBytes   = 1 * mib
)

// errTooLarge is an object over the size that the reader allows.
var errTooLarge = errors.New("object too large")

// objects reads a repository's objects, and believes nothing: the size is looked up before the
// content is read, and the content must hash to the name it was asked for by.
type objects struct {
	layout layout
	stores []*filesystem.Storage
	// shallow are the commits whose parents were cut off when the repository was cloned.
	shallow map[string]bool
}

// openObjects opens the object store of a repository and those that it borrows from.
func openObjects(l layout) (*objects, error) {
	o := &objects{layout: l, shallow: map[string]bool{}}
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
		o.stores = append(o.stores, openStorage(filepath.Dir(folder)))
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

func openStorage(dir string) *filesystem.Storage {
	return filesystem.NewStorageWithOptions(osfs.New(dir), cache.NewObjectLRU(objectCacheBytes),
		filesystem.Options{KeepDescriptors: true})
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
		_ = store.Close() // nothing was written
	}
}

// has reports whether an object can be found; it does not read it.
func (o *objects) has(sha string) bool {
	_, _, err := o.find(plumbing.NewHash(sha))
	return err == nil
}

// find returns the store that holds an object, and the object's size in bytes.
func (o *objects) find(hash plumbing.Hash) (*filesystem.Storage, int64, error) {
	for _, store := range o.stores {
		size, err := store.EncodedObjectSize(hash)
		if err == nil {
			return store, size, nil
		}
		if !errors.Is(err, plumbing.ErrObjectNotFound) {
			return nil, 0, storeError(hash, err)
		}
	}
	return nil, 0, fmt.Errorf("%w: %s", ErrMissingObject, hash)
}

// read returns an object's content. It fails with errTooLarge before reading if the object is
// larger than limit bytes.
func (o *objects) read(hash plumbing.Hash, kind plumbing.ObjectType, limit int64) ([]byte, error) {
	store, size, err := o.find(hash)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%w: %d bytes of at most %d", errTooLarge, size, limit)
	}
	object, err := store.EncodedObject(plumbing.AnyObject, hash)
	if err != nil {
		return nil, storeError(hash, err)
	}
	if object.Type() != kind {
		return nil, fmt.Errorf("%w: %s is a %s instead of a %s", ErrDamaged, hash, object.Type(), kind)
	}
	reader, err := object.Reader()
	if err != nil {
		return nil, storeError(hash, err)
	}
	defer reader.Close()
	content := make([]byte, size)
	if _, err := io.ReadFull(reader, content); err != nil {
		return nil, storeError(hash, err)
	}
	if got := plumbing.ComputeHash(kind, content); got != hash {
		return nil, fmt.Errorf("%w: %s holds what is named %s", ErrDamaged, hash, got)
	}
	return content, nil
}

// storeError tells a store that cannot be read at all from one whose content is wrong.
func storeError(hash plumbing.Hash, err error) error {
	var system *os.PathError
	switch {
	case errors.Is(err, plumbing.ErrObjectNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s", ErrMissingObject, hash)
	case errors.As(err, &system):
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrDamaged, hash, err)
}
