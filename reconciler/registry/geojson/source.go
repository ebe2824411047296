package geojson

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// source is one file. What was read last is immutable and replaced whole.
type source struct {
	config Config
	path   string

	current atomic.Pointer[data]
	looked  atomic.Int64 // when the file was last looked at, in Unix nanoseconds

	mu      sync.Mutex // held while looking at and reading the file
	seen    stamp      // of the last attempt to read, failed or not
	problem error      // why the file as it is now is not what is served
}

// now returns the data to answer from, and looks at the file if that was not done lately. One request does; the
// others go on with what there is.
func (s *source) now() *data {
	if time.Since(time.Unix(0, s.looked.Load())) > s.config.RefreshInterval && s.mu.TryLock() {
		// What is wrong now is for the checks to say: these data are still good to serve.
		_ = s.refreshLocked()
		s.mu.Unlock()
	}
	return s.current.Load()
}

// refresh looks at the file now, reads it if it has changed, and says what is wrong with it.
func (s *source) refresh() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshLocked()
}

func (s *source) refreshLocked() error {
	defer func() { s.looked.Store(time.Now().UnixNano()) }()
	found, err := statFile(s.config.DataDirectory, s.path)
	if err != nil {
		s.report(err)
		s.seen = stamp{}
		return err
	}
	if found == s.seen {
		return s.problem
	}
	content, read, err := readFile(s.config.DataDirectory, s.path, s.config.MaxFileBytes)
	if err != nil {
		s.report(err)
		return err
	}
	s.seen = read
	next, err := decode(content)
	if err != nil {
		err = fileError(s.path, err)
		s.report(err)
		return err
	}
	if old := s.current.Swap(next); old != nil && old.version != next.version {
		s.config.Logger.Info("data file read anew", "file", s.path, "features", len(next.features))
	}
	s.problem = nil
	return nil
}

// report keeps what is wrong and logs it when it is new and somebody goes on being served the data of before.
func (s *source) report(err error) {
	if s.current.Load() != nil && (s.problem == nil || s.problem.Error() != err.Error()) {
		s.config.Logger.Warn("data file unusable, serving what was read before", "file", s.path, "error", err.Error())
	}
	s.problem = err
}

// Check compares a layer with the file as it is on disk now.
func (s *source) Check(_ context.Context, layer *catalog.Layer) ([]registry.Finding, error) {
	if err := s.refresh(); err != nil {
		return nil, err
	}
	return s.current.Load().check(layer), nil
}

// Query passes a page of features to emit, in the order of the file.
func (s *source) Query(ctx context.Context, layer *catalog.Layer, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	return s.now().query(ctx, layer, q, emit)
}

// Get returns one feature by its id.
func (s *source) Get(_ context.Context, layer *catalog.Layer, id string, crs registry.CRS) ([]byte, error) {
	return s.now().get(layer, id, crs)
}

// Version is a hash of the file's content.
func (s *source) Version(context.Context) (string, error) { return s.now().version, nil }

// Close forgets nothing that the garbage collector would not.
func (s *source) Close() error { return nil }
