package backup

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	extension = ".snap"
	lockFile  = ".honua-backup.lock"
	// timeLayout sorts as the times do and may be in a file's name everywhere.
	timeLayout = "20060102T150405.000Z"
)

// kept is one backup in the directory.
type kept struct {
	path string
	at   time.Time
}

// fileName is honua_<cluster>_<time>_<node>_<index>.snap.
func fileName(cluster, node string, at time.Time, index uint64) string {
	return fmt.Sprintf("%s%s_%s_%d%s", prefix(cluster), at.UTC().Format(timeLayout), node, index, extension)
}

func prefix(cluster string) string { return "honua_" + cluster + "_" }

// list returns the backups of a cluster, the newest first. Other files stay
// out of it, and so out of what is removed.
func list(directory, cluster string) ([]kept, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var found []kept
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix(cluster))
		stamp, _, _ := strings.Cut(rest, "_")
		at, err := time.Parse(timeLayout, stamp)
		if ours && err == nil && filepath.Ext(rest) == extension && e.Type().IsRegular() {
			found = append(found, kept{path: filepath.Join(directory, e.Name()), at: at})
		}
	}
	slices.SortFunc(found, func(a, b kept) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.path, a.path))
	})
	return found, nil
}

// removeLeftovers removes the files beside their place of processes that were
// killed while they wrote. The directory is locked: nobody writes.
func removeLeftovers(directory, cluster string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+prefix(cluster)) && strings.HasSuffix(e.Name(), ".new") {
			errs = append(errs, os.Remove(filepath.Join(directory, e.Name())))
		}
	}
	return errors.Join(errs...)
}
