package support

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"
)

// Entry is a file or folder, without what is in it.
type Entry struct {
	Path     string `json:"path"`
	Mode     string `json:"mode"`
	Size     int64  `json:"size"`
	Modified string `json:"modified"`
}

// MaxEntries bounds a listing.
const MaxEntries = 2000

var errFull = errors.New("full")

// List describes what is below a folder, the folder itself first. It follows no
// links. What cannot be looked at is left out, and the error names the first.
func List(root string) (entries []Entry, complaint error) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if complaint == nil {
				complaint = err
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it vanished meanwhile
		}
		if len(entries) == MaxEntries {
			return errFull
		}
		entries = append(entries, Entry{
			Path: path, Mode: info.Mode().String(), Size: info.Size(), Modified: info.ModTime().UTC().Format(time.RFC3339),
		})
		return nil
	})
	if errors.Is(err, errFull) {
		return entries, errors.Join(complaint, errors.New("there is more than is listed"))
	}
	return entries, errors.Join(complaint, err)
}
