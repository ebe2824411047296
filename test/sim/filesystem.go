package sim

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/honua-io/honua-gitops/internal/durable"
)

var _ durable.FS = (*disk)(nil)

// Chances of what goes wrong with a file.
const (
	dieChance  = 0.004
	failChance = 0.0015
)

// touch is every step that a process takes on its disk: it may die before it,
// or the disk refuses.
func (d *disk) touch(step, path string) error {
	w := d.n.w
	w.task.survive()
	if w.harm(dieChance, "death before "+step+" "+kind(path)) {
		d.n.die(step)
	}
	if w.harm(failChance, "error of "+step+" "+kind(path)) {
		d.n.disturbed, w.disturbed = true, true
		return &os.PathError{Op: step, Path: path, Err: syscall.EIO}
	}
	return nil
}

// done is the end of a step: the process may die right after it.
func (d *disk) done(step, path string) {
	if d.n.w.harm(dieChance, "death after "+step+" "+kind(path)) {
		d.n.die(step)
	}
}

// MkdirAll notes a directory; that it is there is always safe.
func (d *disk) MkdirAll(name string, _ os.FileMode) error {
	d.directories[name] = true
	return nil
}

// ReadDir lists the files in a directory.
func (d *disk) ReadDir(name string) ([]string, error) {
	var names []string
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		if filepath.Dir(path) == name {
			names = append(names, filepath.Base(path))
		}
	}
	return names, nil
}

// OpenFile opens a file or a directory.
func (d *disk) OpenFile(name string, flag int, _ os.FileMode) (durable.File, error) {
	if d.directories[name] {
		return &handle{d: d, path: name}, nil
	}
	file := d.names[name]
	if file == nil && flag&os.O_CREATE == 0 {
		return nil, &os.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
	}
	if file == nil {
		if err := d.touch("making", name); err != nil {
			return nil, err
		}
		file = &inode{}
		d.names[name] = file
	}
	return &handle{d: d, path: name, file: file}, nil
}

// CreateTemp makes a file of a new name.
func (d *disk) CreateTemp(directory, pattern string) (string, durable.File, error) {
	d.temps++
	name := filepath.Join(directory, strings.Replace(pattern, "*", fmt.Sprint(d.temps), 1))
	file, err := d.OpenFile(name, os.O_CREATE, 0)
	return name, file, err
}

// Rename moves a name; the directory forgets it with the machine unless it is synced.
func (d *disk) Rename(from, to string) error {
	if err := d.touch("renaming", to); err != nil {
		return err
	}
	d.names[to] = d.names[from]
	delete(d.names, from)
	d.done("renaming", to)
	return nil
}

// Remove deletes a name.
func (d *disk) Remove(name string) error {
	d.n.w.task.survive()
	delete(d.names, name)
	return nil
}

// syncDirectory puts the names in a directory on disk.
func (d *disk) syncDirectory(directory string) {
	for path := range d.safe {
		if filepath.Dir(path) == directory && d.names[path] == nil {
			delete(d.safe, path)
		}
	}
	for path, file := range d.names {
		if filepath.Dir(path) == directory {
			d.safe[path] = file
		}
	}
}

// handle is an open file, or directory.
type handle struct {
	d    *disk
	path string
	file *inode
	at   int
}

// Read reads on.
func (h *handle) Read(p []byte) (int, error) {
	if h.at >= len(h.file.data) {
		return 0, io.EOF
	}
	n := copy(p, h.file.data[h.at:])
	h.at += n
	return n, nil
}

// Write writes at the end: nothing here is written over.
func (h *handle) Write(p []byte) (int, error) {
	if err := h.d.touch("writing", h.path); err != nil {
		return 0, err
	}
	if h.at != len(h.file.data) {
		h.d.n.w.broken("driver", "%s is written at %d of %d", h.path, h.at, len(h.file.data))
	}
	if !h.d.plantWrite(h.path, p) {
		h.file.data = append(h.file.data, p...)
		h.at = len(h.file.data)
	}
	h.d.done("writing", h.path)
	return len(p), nil
}

// Seek moves to an offset from the beginning.
func (h *handle) Seek(offset int64, _ int) (int64, error) {
	h.at = int(offset)
	return offset, nil
}

// Truncate cuts the file.
func (h *handle) Truncate(size int64) error {
	h.file.data = h.file.data[:size:size]
	return nil
}

// Sync waits for the disk.
func (h *handle) Sync() error {
	w := h.d.n.w
	if err := h.d.touch("syncing", h.path); err != nil {
		return err
	}
	if w.random.IntN(2) == 0 {
		w.sleep(w.between(1, 6))
	}
	if !h.d.plantSync(h.path) {
		if h.file == nil {
			h.d.syncDirectory(h.path)
		} else {
			h.file.safe = h.file.data[:len(h.file.data):len(h.file.data)]
		}
	}
	h.d.done("syncing", h.path)
	return nil
}

// Close ends the use of a file.
func (h *handle) Close() error { return nil }
