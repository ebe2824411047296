package gitsync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

const (
	// maxPacks is how many fetches a mirror takes before it is cloned anew as one pack.
	maxPacks = 50
	// maxHaves is how many commits a server is told of, so that it finds what is shared even
	// after a branch was rewritten.
	maxHaves = 256
)

// fetcher brings the mirror up to date.
type fetcher struct {
	home   *mirrorHome
	source source
	branch string
	log    *slog.Logger
}

// shelf brings the mirror up to date and opens it. Damage that is found while reading costs one fresh clone; damage that
// is found again is the server's.
func (f fetcher) shelf(commit string) shelf {
	return func(ctx context.Context, again bool) (*objects, error) {
		prepare := f.update
		if again {
			f.log.Warn("the mirror is damaged and is cloned again", "branch", f.branch)
			prepare = f.replace
		}
		path, err := prepare(ctx, commit)
		if err != nil {
			return nil, err
		}
		return openObjects(layout{common: path, own: path}, path)
	}
}

// update makes sure that the mirror has a commit, at the least cost.
func (f fetcher) update(ctx context.Context, commit string) (string, error) {
	path, ok := f.home.current()
	if !ok {
		return f.replace(ctx, commit)
	}
	have, known, err := f.inspect(path, commit)
	if err != nil {
		f.log.Warn("the mirror cannot be used and is cloned again", "error", err.Error())
		return f.replace(ctx, commit)
	}
	if known {
		return path, nil
	}
	if packs, _ := filepath.Glob(filepath.Join(path, "objects", "pack", "*.pack")); len(packs) > maxPacks {
		fresh, err := f.replace(ctx, commit)
		if err == nil || ctx.Err() != nil {
			return fresh, err
		}
		f.log.Warn("the mirror could not be cloned anew and grows on", "packs", len(packs), "error", err.Error())
	}
	return path, f.fetchInto(ctx, path, commit, have)
}

// inspect looks for a commit in the mirror, and lists what a server should know that we have.
func (f fetcher) inspect(path, commit string) (haves []string, known bool, err error) {
	l := layout{common: path, own: path}
	store, err := openObjects(l, path)
	if err != nil {
		return nil, false, err
	}
	defer store.close()
	if len(store.stores) == 0 {
		return nil, false, fmt.Errorf("%w: no object store", ErrDamaged)
	}
	head, err := l.ref("refs/heads/" + f.branch)
	if err != nil {
		return nil, false, err
	}
	if head == "" {
		return nil, false, fmt.Errorf("%w: no branch", ErrDamaged)
	}
	if haves, err = store.recent(head, maxHaves); err != nil {
		return nil, false, err
	}
	return haves, store.has(commit), nil
}

// recent lists up to limit commits that lead to head, nearest first.
func (o *objects) recent(head string, limit int) ([]string, error) {
	queue := []plumbing.Hash{plumbing.NewHash(head)}
	seen := map[plumbing.Hash]bool{queue[0]: true}
	var found []string
	for len(queue) > 0 && len(found) < limit {
		c, err := o.commit(queue[0])
		if err != nil {
			return nil, err
		}
		queue = queue[1:]
		found = append(found, c.info.SHA)
		for _, parent := range c.parents {
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	return found, nil
}

// replace clones into a fresh directory and puts that into use once it has the commit.
func (f fetcher) replace(ctx context.Context, commit string) (string, error) {
	path, err := f.home.fresh(f.branch)
	if err != nil {
		return "", err
	}
	if err := f.fetchInto(ctx, path, commit, nil); err != nil {
		_ = os.RemoveAll(path) // swept with the next clone otherwise
		return "", err
	}
	return path, f.home.adopt(path)
}

// fetchInto fetches what leads to commit and moves the branch there.
func (f fetcher) fetchInto(ctx context.Context, path, commit string, haves []string) error {
	f.removeLeftovers(path)
	stream, err := f.source.fetch(ctx, f.branch, commit, haves)
	if err != nil {
		return err
	}
	defer stream.Close()
	if err := storePack(ctx, path, stream); err != nil {
		return err
	}
	store, err := openObjects(layout{common: path, own: path}, path)
	if err != nil {
		return err
	}
	defer store.close()
	if !store.has(commit) {
		return fmt.Errorf("%w: the server did not send %s", ErrCommitNotFound, commit)
	}
	return setBranch(path, f.branch, commit)
}

// removeLeftovers removes packs that were being written when a fetch was killed.
func (f fetcher) removeLeftovers(path string) {
	leftovers, _ := filepath.Glob(filepath.Join(path, "objects", "pack", "tmp_*"))
	for _, name := range leftovers {
		_ = os.Remove(name)
	}
}

// storePack indexes a pack while it arrives. It is in place only once it is complete and its
// checksum is right.
func storePack(ctx context.Context, path string, stream io.Reader) error {
	watched := &watchedReader{from: stream}
	err := writePack(ctx, filepath.Join(path, "objects", "pack"), watched)
	var system *os.PathError
	var known *failure
	switch {
	case watched.err != nil:
		return watched.err
	case err == nil || ctx.Err() != nil || errors.As(err, &known):
		return err
	case errors.As(err, &system):
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return fmt.Errorf("%w: pack: %w", ErrGarbage, err)
}

// writePack puts a pack and its index into a folder. The index comes last: a pack without one is not looked at.
func writePack(ctx context.Context, folder string, stream io.Reader) error {
	file, err := os.CreateTemp(folder, "tmp_pack_*")
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name()) // there no more once it is in place
	}()
	index, checksum, err := indexPack(ctx, io.TeeReader(stream, file), file)
	if err != nil {
		return err
	}
	name := filepath.Join(folder, "pack-"+checksum.String())
	if err := os.Rename(file.Name(), name+".pack"); err != nil {
		return err
	}
	var encoded bytes.Buffer
	if _, err := idxfile.NewEncoder(&encoded).Encode(index); err != nil {
		return err
	}
	draft := filepath.Join(folder, "tmp_idx_"+checksum.String())
	if err := os.WriteFile(draft, encoded.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, name+".idx")
}

// watchedReader remembers why reading failed: the library below reports its own view of it.
type watchedReader struct {
	from io.Reader
	err  error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// setBranch writes a branch's ref, for the next fetch and for people who look with git.
func setBranch(path, branch, commit string) error {
	file := filepath.Join(path, "refs", "heads", filepath.FromSlash(branch))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if err := os.WriteFile(file+".lock", []byte(commit+"\n"), 0o600); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if err := os.Rename(file+".lock", file); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return nil
}
