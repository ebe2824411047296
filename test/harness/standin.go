package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Standin takes a test's place in programs that use the harness. What is cleaned up at the end of a test is cleaned up
// when Outside returns.
type Standin struct {
	testing.TB
	ctx context.Context // a testing.TB hands out its context
	dir string

	mu       sync.Mutex
	folders  int
	cleanups []func()
	problems []error
}

// ended is what Fatal panics with; Protect turns it into an error again.
type ended struct{ error }

// Outside runs work as a test runs, without one: Fatal ends it, Error is noted, and what was to be cleaned up is. Its
// error is all that was reported. Folders are made below dir and stay.
func Outside(ctx context.Context, dir string, work func(t testing.TB)) error {
	s := &Standin{ctx: ctx, dir: dir}
	err := Protect(func() { work(s) })
	for {
		s.mu.Lock()
		last := len(s.cleanups) - 1
		if last < 0 {
			s.mu.Unlock()
			break
		}
		next := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		s.mu.Unlock()
		err = errors.Join(err, Protect(next))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(append(s.problems, err)...)
}

// Protect returns what a Standin's Fatal said in work. Each goroutine that may come to it needs its own.
func Protect(work func()) (err error) {
	defer func() {
		cause := recover()
		if end, ok := cause.(ended); ok {
			err = end.error
		} else if cause != nil {
			panic(cause)
		}
	}()
	work()
	return nil
}

// Helper is a test's.
func (s *Standin) Helper() {}

// Context is the one given to Outside.
func (s *Standin) Context() context.Context { return s.ctx }

// Cleanup is a test's.
func (s *Standin) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

// TempDir makes a folder that stays.
func (s *Standin) TempDir() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folders++
	dir := filepath.Join(s.dir, fmt.Sprintf("%03d", s.folders))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(ended{err})
	}
	return dir
}

// Failed reports whether something was reported.
func (s *Standin) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.problems) > 0
}

// Log says nothing: what is worth keeping is in the nodes' logs.
func (s *Standin) Log(...any) {}

// Logf is Log.
func (s *Standin) Logf(string, ...any) {}

// Error notes a problem.
func (s *Standin) Error(args ...any) { s.note(errors.New(fmt.Sprint(args...))) }

// Errorf is Error with a format.
func (s *Standin) Errorf(format string, args ...any) { s.note(fmt.Errorf(format, args...)) }

// Fatal ends what Protect or Outside runs.
func (s *Standin) Fatal(args ...any) { panic(ended{errors.New(fmt.Sprint(args...))}) }

// Fatalf is Fatal with a format.
func (s *Standin) Fatalf(format string, args ...any) { panic(ended{fmt.Errorf(format, args...)}) }

func (s *Standin) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}
