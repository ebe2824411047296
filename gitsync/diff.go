package gitsync

import (
	"context"
	"math"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const (
	maxDiffTrees = 50_000
	maxDiffDepth = 512
)

// differ counts files that differ between trees. The same pair of folders is compared once,
// however often it occurs, so that a tree that expands to a billion paths costs what is stored
// of it.
type differ struct {
	store *objects
	// left is how many more folders are read.
	left      int
	truncated bool
	// known are lower bounds that were found here; what is exact is in the store, for others too.
	known map[[2]plumbing.Hash]int
}

func newDiffer(store *objects) *differ {
	return &differ{store: store, left: maxDiffTrees, known: map[[2]plumbing.Hash]int{}}
}

// count returns how many files differ between two folders; the zero hash is a folder that does
// not exist. Past its budget it counts on with what it has and sets truncated.
func (d *differ) count(ctx context.Context, from, to plumbing.Hash, depth int) (int, error) {
	if from == to {
		return 0, nil
	}
	pair := [2]plumbing.Hash{from, to}
	for _, known := range []map[[2]plumbing.Hash]int{d.store.compared, d.known} {
		if n, ok := known[pair]; ok {
			return n, nil
		}
	}
	if d.left--; d.left < 0 || depth > maxDiffDepth {
		d.truncated = true
		return 0, nil
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	before, err := d.entries(from)
	if err != nil {
		return 0, err
	}
	after, err := d.entries(to)
	if err != nil {
		return 0, err
	}
	n, err := d.compare(ctx, before, after, depth)
	if err != nil {
		return 0, err
	}
	if d.truncated {
		d.known[pair] = n
	} else {
		d.store.compared[pair] = n
	}
	return n, nil
}

func (d *differ) entries(hash plumbing.Hash) (map[string]object.TreeEntry, error) {
	if hash.IsZero() {
		return nil, nil
	}
	list, err := d.store.tree(hash, "")
	if KindOf(err) == Content {
		// Outside the environment's folders a strange folder only spoils the count.
		d.truncated = true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	byName := make(map[string]object.TreeEntry, len(list))
	for _, entry := range list {
		byName[entry.Name] = entry
	}
	return byName, nil
}

func (d *differ) compare(ctx context.Context, before, after map[string]object.TreeEntry, depth int) (int, error) {
	total := 0
	for name, old := range before {
		n, err := d.entry(ctx, old, after[name], depth)
		if err != nil {
			return 0, err
		}
		total = addCount(total, n)
	}
	for name, added := range after {
		if _, ok := before[name]; ok {
			continue
		}
		n, err := d.entry(ctx, object.TreeEntry{}, added, depth)
		if err != nil {
			return 0, err
		}
		total = addCount(total, n)
	}
	return total, nil
}

// entry compares two entries of one name; the zero entry does not exist.
func (d *differ) entry(ctx context.Context, from, to object.TreeEntry, depth int) (int, error) {
	if from.Mode == to.Mode && from.Hash == to.Hash {
		return 0, nil
	}
	files := 0
	for _, e := range []*object.TreeEntry{&from, &to} {
		if e.Mode != filemode.Dir {
			if !e.Hash.IsZero() {
				files = 1
			}
			e.Hash = plumbing.ZeroHash
		}
	}
	below, err := d.count(ctx, from.Hash, to.Hash, depth+1)
	return addCount(files, below), err
}

// addCount adds without overflow.
func addCount(a, b int) int { return min(a+b, math.MaxInt32) }
