package geopackage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// stamp tells one state of a file from another without reading it.
type stamp struct {
	size    int64
	changed time.Time
}

// file is a GeoPackage as it was opened: the tables that were looked up in it, and how many use it.
type file struct {
	db    *sql.DB
	stamp stamp

	mu     sync.Mutex
	tables map[string]*table

	users atomic.Int64 // the source itself is one while the file is current
}

// locate returns where the file is, links resolved, and its stamp. Root refuses what leaves the directory; SQLite opens
// by name, so the name it gets has no links left.
func locate(directory, path string) (string, stamp, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return "", stamp{}, fmt.Errorf("%w: data directory %q cannot be opened: %s", registry.ErrUnavailable, directory, reason(err))
	}
	defer func() { _ = root.Close() }() // only read from
	info, err := root.Stat(path)
	if err != nil {
		return "", stamp{}, fileError(path, err)
	}
	if !info.Mode().IsRegular() {
		return "", stamp{}, fmt.Errorf("%w: %q is not a regular file", registry.ErrUnavailable, path)
	}
	base, baseErr := filepath.EvalSymlinks(directory)
	real, realErr := filepath.EvalSymlinks(filepath.Join(directory, path))
	inside, relErr := filepath.Rel(base, real)
	if err := errors.Join(baseErr, realErr, relErr); err != nil || !filepath.IsLocal(inside) {
		return "", stamp{}, fmt.Errorf("%w: %q leaves the data directory", registry.ErrUnavailable, path)
	}
	if real, err = filepath.Abs(real); err != nil {
		return "", stamp{}, fileError(path, err)
	}
	return real, stamp{size: info.Size(), changed: info.ModTime()}, nil
}

// openFile opens the database read-only. Views and triggers of a file that came from elsewhere may not call functions
// with effects.
func openFile(ctx context.Context, path, real string, found stamp, connections int) (*file, error) {
	options := url.Values{
		"mode":    {"ro"},
		"_pragma": {"query_only(1)", "trusted_schema(0)", "busy_timeout(2000)", "cell_size_check(1)"},
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(real), RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fileError(path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	var count int
	const required = `SELECT count(*) FROM sqlite_master WHERE name IN ('gpkg_contents', 'gpkg_geometry_columns', 'gpkg_spatial_ref_sys')`
	if err = db.QueryRowContext(ctx, required).Scan(&count); err == nil && count != 3 {
		err = errors.New("it is no GeoPackage with features: gpkg_contents, gpkg_geometry_columns or gpkg_spatial_ref_sys is missing")
	}
	if err != nil {
		return nil, errors.Join(fileError(path, err), db.Close())
	}
	f := &file{db: db, stamp: found, tables: make(map[string]*table)}
	f.users.Store(1)
	return f, nil
}

// release takes a user away; the last one closes the database.
func (f *file) release() error {
	if f.users.Add(-1) > 0 {
		return nil
	}
	return f.db.Close()
}

// acquire fails on a file that has been let go.
func (f *file) acquire() bool {
	for {
		users := f.users.Load()
		if users == 0 {
			return false
		}
		if f.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

func fileError(path string, err error) error {
	return fmt.Errorf("%w: file %q: %s", registry.ErrUnavailable, path, reason(err))
}

// reason is the cause without the path, which the message has already.
func reason(err error) string {
	switch pathErr := (*fs.PathError)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return err.Error()
}
