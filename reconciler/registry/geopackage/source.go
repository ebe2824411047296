package geopackage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// source is one path, whatever file is there.
type source struct {
	config Config
	path   string

	current atomic.Pointer[file]
	looked  atomic.Int64 // when the path was last looked at, in Unix nanoseconds

	mu      sync.Mutex // held while looking and opening
	problem error      // why what is there now is not what is served
}

// refresh looks at the path and opens what is there if that is another file.
func (s *source) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshLocked(ctx)
}

func (s *source) refreshLocked(ctx context.Context) error {
	defer func() { s.looked.Store(time.Now().UnixNano()) }()
	real, found, err := locate(s.config.DataDirectory, s.path)
	if err != nil {
		return s.report(err)
	}
	old := s.current.Load()
	if old != nil && old.stamp == found {
		s.problem = nil
		return nil
	}
	next, err := openFile(ctx, s.path, real, found, s.config.Connections)
	if err != nil {
		return s.report(err)
	}
	s.problem = nil
	s.current.Store(next)
	if old != nil {
		s.config.Logger.InfoContext(ctx, "data file opened anew", "file", s.path)
		return old.release()
	}
	return nil
}

// report logs what is wrong when it is new and somebody goes on being served the file of before.
func (s *source) report(err error) error {
	if s.current.Load() != nil && (s.problem == nil || s.problem.Error() != err.Error()) {
		s.config.Logger.Warn("data file unusable, serving what was opened before", "file", s.path, "error", err.Error())
	}
	s.problem = err
	return err
}

// use runs do with the file to answer from, after a look at the path if that was not done lately. One request looks;
// the others go on with what there is.
func (s *source) use(ctx context.Context, do func(*file) error) error {
	if time.Since(time.Unix(0, s.looked.Load())) > s.config.RefreshInterval && s.mu.TryLock() {
		// What is wrong now is for the checks to say: the file of before is still good to serve.
		_ = s.refreshLocked(ctx)
		s.mu.Unlock()
	}
	for {
		f := s.current.Load()
		if !f.acquire() {
			continue // replaced between the two: take the next one
		}
		return errors.Join(do(f), f.release())
	}
}

// withPlan runs do with what a layer reads.
func (s *source) withPlan(ctx context.Context, layer *catalog.Layer, do func(*file, *plan) error) error {
	return s.use(ctx, func(f *file) error {
		t, err := f.table(ctx, layer.Table)
		if err != nil {
			return s.failed(ctx, err)
		}
		p, err := t.planFor(layer)
		if err != nil {
			return err
		}
		return do(f, p)
	})
}

// failed keeps what a caller has to know of a failure: that it went away itself, or that the file is to blame.
func (s *source) failed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, registry.ErrUnavailable), errors.Is(err, registry.ErrCRS), errors.Is(err, registry.ErrFeatureNotFound):
		return err
	}
	return fileError(s.path, err)
}

// Check compares a layer with the file as it is on disk now.
func (s *source) Check(ctx context.Context, layer *catalog.Layer) ([]registry.Finding, error) {
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	var findings []registry.Finding
	err := s.use(ctx, func(f *file) error {
		t, err := f.table(ctx, layer.Table)
		if err != nil {
			return s.failed(ctx, err)
		}
		findings = t.check(layer)
		return nil
	})
	return findings, err
}

// Version is the file's size and time of change; empty where changes may stand beside it in a write-ahead log.
func (s *source) Version(ctx context.Context) (string, error) {
	version := ""
	err := s.use(ctx, func(f *file) error {
		real, _, err := locate(s.config.DataDirectory, s.path)
		if err != nil {
			return nil //nolint:nilerr // what was opened before is served on, without a version
		}
		if log, err := os.Stat(real + "-wal"); err == nil && log.Size() > 0 {
			return nil
		}
		version = fmt.Sprintf("%x-%x", f.stamp.size, f.stamp.changed.UnixNano())
		return nil
	})
	return version, err
}

// Close closes the file.
func (s *source) Close() error { return s.current.Load().release() }
