package gitsync

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

var (
	errNoBase   = errors.New("a delta whose base is not in the pack")
	errDeepened = fmt.Errorf("a chain of more than %d deltas", maxDeltaDepth)
)

// kinship says which deltas build on which object: by its place in the pack, or by its name.
type kinship struct {
	byPlace map[int64][]delta
	byName  map[plumbing.Hash][]delta
	found   int
}

// take returns what builds on an object, once.
func (k *kinship) take(offset int64, name plumbing.Hash) []delta {
	children := append(k.byPlace[offset], k.byName[name]...)
	delete(k.byPlace, offset)
	delete(k.byName, name)
	k.found += len(children)
	return children
}

// expected reports whether something may build on an object whose name is not known yet.
func (k *kinship) expected(offset int64) bool { return len(k.byPlace[offset]) > 0 || len(k.byName) > 0 }

// resolve names the objects that are stored as differences: from each whole object on to what builds on it, and so on.
func (u *unpacking) resolve(scanner *packfile.Scanner) error {
	kin := &kinship{byPlace: map[int64][]delta{}, byName: map[plumbing.Hash][]delta{}}
	for _, d := range u.deltas {
		if d.base != 0 {
			kin.byPlace[d.base] = append(kin.byPlace[d.base], d)
		} else {
			kin.byName[d.baseName] = append(kin.byName[d.baseName], d)
		}
	}
	for _, root := range u.whole {
		children := kin.take(root.offset, root.name)
		if len(children) == 0 {
			continue
		}
		base, err := u.unpackWhole(scanner, root)
		if err != nil {
			return err
		}
		err = u.descend(scanner, kin, root.kind, base, children, 1)
		base.release()
		if err != nil {
			return err
		}
	}
	if kin.found < len(u.deltas) {
		return errNoBase
	}
	return nil
}

func (u *unpacking) unpackWhole(scanner *packfile.Scanner, root whole) (*kept, error) {
	header, err := scanner.SeekObjectHeader(root.offset)
	if err != nil {
		return nil, err
	}
	if err := u.spend(header.Length); err != nil {
		return nil, err
	}
	base, err := u.scrap.room(header.Length)
	if err != nil {
		return nil, err
	}
	if _, _, err := scanner.NextObject(base); err != nil {
		base.release()
		return nil, err
	}
	return base, nil
}

// descend resolves what builds on base, and what builds on that.
func (u *unpacking) descend(scanner *packfile.Scanner, kin *kinship, kind plumbing.ObjectType, base *kept, children []delta, depth int) error {
	if depth > maxDeltaDepth {
		return errDeepened
	}
	for _, child := range children {
		if err := u.check(); err != nil {
			return err
		}
		name, content, err := u.apply(scanner, kind, base, child, kin.expected(child.offset))
		if err != nil {
			return err
		}
		u.index.Add(name, uint64(child.offset), child.crc)
		if next := kin.take(child.offset, name); len(next) > 0 {
			err = u.descend(scanner, kin, kind, content, next, depth+1)
		}
		content.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// apply names what a delta makes of its base; the content is kept only if something may build on it.
func (u *unpacking) apply(scanner *packfile.Scanner, kind plumbing.ObjectType, base *kept, d delta, keep bool) (name plumbing.Hash, content *kept, err error) {
	if _, err = scanner.SeekObjectHeader(d.offset); err != nil {
		return name, nil, err
	}
	script, err := scanner.ReadObject()
	if err != nil {
		return name, nil, err
	}
	defer func() { _ = script.Close() }()
	p, err := newPatch(script, base, u.buffer)
	if err != nil {
		return name, nil, err
	}
	hasher := plumbing.NewHasher(kind, p.size)
	to := io.Writer(hasher)
	if keep {
		if content, err = u.scrap.room(p.size); err != nil {
			return name, nil, err
		}
		to = io.MultiWriter(hasher, content)
	}
	if err = p.apply(to, u.check); err != nil {
		content.release()
		return name, nil, err
	}
	return hasher.Sum(), content, nil
}
