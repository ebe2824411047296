package gitsync

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// tree reads one folder. path is for the error if it makes no sense: then the commit is at
// fault, for the bytes are what their name says.
func (o *objects) tree(hash plumbing.Hash, path string) ([]object.TreeEntry, error) {
	raw, err := o.read(hash, plumbing.TreeObject, maxTreeBytes)
	if errors.Is(err, errTooLarge) {
		return nil, reject(path, "is too large a folder")
	}
	if err != nil {
		return nil, err
	}
	return parseTree(raw, path)
}

func parseTree(raw []byte, path string) ([]object.TreeEntry, error) {
	encoded := &plumbing.MemoryObject{}
	encoded.SetType(plumbing.TreeObject)
	if _, err := encoded.Write(raw); err != nil {
		return nil, err
	}
	var tree object.Tree
	if err := tree.Decode(encoded); err != nil {
		return nil, reject(path, "is a malformed folder")
	}
	return tree.Entries, nil
}

// lookup finds one name among entries; ok is false if there is none. A name that occurs twice
// means different things to different readers, and is refused.
func lookup(entries []object.TreeEntry, folder, name string) (found object.TreeEntry, ok bool, err error) {
	for _, entry := range entries {
		if entry.Name != name {
			continue
		}
		if ok {
			return found, false, reject(joinPath(folder, name), "occurs twice")
		}
		found, ok = entry, true
	}
	return found, ok, nil
}

// folder finds a folder; the zero hash means that there is none.
func (o *objects) folder(parent plumbing.Hash, path, name string) (plumbing.Hash, error) {
	if parent.IsZero() {
		return plumbing.ZeroHash, nil
	}
	entries, err := o.tree(parent, path)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	entry, ok, err := lookup(entries, path, name)
	if err != nil || !ok {
		return plumbing.ZeroHash, err
	}
	if entry.Mode != filemode.Dir {
		return plumbing.ZeroHash, reject(joinPath(path, name), kindProblem(entry.Mode)+", not a folder")
	}
	return entry.Hash, nil
}

func joinPath(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// kindProblem says what an entry is that is no regular file or folder.
func kindProblem(mode filemode.FileMode) string {
	switch mode {
	case filemode.Symlink:
		return "is a symbolic link"
	case filemode.Submodule:
		return "is a submodule"
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
		return "is a file"
	case filemode.Dir:
		return "is a folder"
	}
	return fmt.Sprintf("has the unknown mode %s", mode)
}

func reject(path, reason string) error {
	if path == "" {
		path = "/"
	}
	return &RejectedTreeError{Path: printable(path), Reason: reason}
}
