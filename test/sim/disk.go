package sim

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// disk is what a node keeps over its process lives, and the file system that
// the node half works on. What was written and not synced survives the death of
// the process, but not surely that of the machine: neither what is in a file nor
// the names in a directory.
type disk struct {
	n *node
	// names are the files by path; safe are those that a directory's sync has put on disk.
	names, safe map[string]*inode
	directories map[string]bool
	temps       int
	// stored is how much of the log is here; snapshot and its index are of the state.
	stored        uint64
	snapshot      []byte
	snapshotIndex uint64
}

// inode is the content of a file; safe is what of it was synced.
type inode struct{ data, safe []byte }

// Where the node half keeps its files.
const (
	dataFolder     = "/data"
	journalPath    = dataFolder + "/journal.jsonl"
	bundleFolder   = dataFolder + "/bundles"
	stateFolder    = "/state"
	approvalFolder = "/approvals"
)

func newDisk(n *node) *disk {
	return &disk{n: n, names: map[string]*inode{}, safe: map[string]*inode{}, directories: map[string]bool{}}
}

// lose is what the death of the machine does.
func (d *disk) lose() {
	w := d.n.w
	paths := map[string]bool{}
	for path := range d.names {
		paths[path] = true
	}
	for path := range d.safe {
		paths[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		file := d.names[path]
		if old := d.safe[path]; old != file && w.random.IntN(2) == 0 {
			file = old
		}
		if file == nil {
			delete(d.names, path)
			continue
		}
		d.names[path] = file
		if len(file.data) != len(file.safe) || len(file.data) > 0 && &file.data[0] != &file.safe[0] {
			file.data = w.torn(file)
		}
		file.safe = file.data[:len(file.data):len(file.data)]
	}
	d.safe = maps.Clone(d.names)
}

// torn is what is left of a file that was not synced: of what was added at its
// end a beginning, at times with zeros after it.
func (w *world) torn(file *inode) []byte {
	if !bytes.HasPrefix(file.data, file.safe) {
		if w.random.IntN(2) == 0 {
			return file.safe
		}
		return file.data
	}
	w.count("torn tails")
	tail := file.data[len(file.safe):]
	kept := w.random.IntN(len(tail) + 1)
	left := append(file.safe[:len(file.safe):len(file.safe)], tail[:kept]...)
	if w.random.IntN(4) == 0 {
		left = append(left, make([]byte, w.random.IntN(len(tail)-kept+1))...)
	}
	return left
}

// journal is what of the journal is safely on disk.
func (d *disk) journal() []byte {
	if file := d.safe[journalPath]; file != nil {
		return file.safe
	}
	return nil
}

// holds reports whether a content is safely on disk.
func (d *disk) holds(digest string) bool {
	file := d.safe[filepath.Join(bundleFolder, digest+".bundle")]
	packed := d.n.w.library.contents[digest]
	return file != nil && packed != nil && bytes.HasSuffix(file.safe, packed)
}

// kind names a file in what is counted.
func kind(path string) string {
	switch {
	case path == journalPath:
		return "the journal"
	case strings.HasPrefix(path, bundleFolder):
		return "a bundle"
	case path == dataFolder:
		return "the directory"
	default:
		return "a view"
	}
}
