package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/durable"
)

const (
	// retryAfter is between two attempts while they fail, if the interval is not less.
	retryAfter = 30 * time.Second
	// readTimeout bounds the wait for a state that holds everything acknowledged.
	readTimeout = 10 * time.Second
	// busyPause is how long another node's turn is waited for.
	busyPause = time.Second
)

// errBusy: another process is saving to the directory just now.
var errBusy = errors.New("another process is saving to the directory")

// Saver makes the backups of one node.
type Saver struct {
	cfg Config

	mu     sync.Mutex
	status Status
}

// Status is how the backups are doing. Counters grow from the start of the process.
type Status struct {
	Directory string
	Interval  time.Duration
	// LastSuccess is when the newest backup in the directory was made, by whichever
	// node; zero if there is none.
	LastSuccess time.Time
	// Err is why the newest attempt failed; nil if it did not.
	Err error
	// Saved and Failed count this process's attempts; Size is the newest file's, bytes.
	Saved, Failed uint64
	Size          int64
}

// Overdue reports whether a second backup should have been made since the newest one.
func (s Status) Overdue(now time.Time) bool {
	return !s.LastSuccess.IsZero() && now.Sub(s.LastSuccess) > 2*s.Interval
}

// New makes a Saver; Run makes it work.
func New(cfg Config) (*Saver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Saver{cfg: cfg, status: Status{Directory: cfg.Directory, Interval: cfg.Interval}}, nil
}

// Status returns how the backups are doing.
func (s *Saver) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Run saves whenever a backup is due, until the context ends. What fails is
// logged, counted, and tried again soon; it ends nothing.
func (s *Saver) Run(ctx context.Context) error {
	for {
		wait, err := s.once(ctx)
		if err != nil && ctx.Err() == nil {
			s.cfg.Logger.ErrorContext(ctx, "backup failed", "directory", s.cfg.Directory, "retry_in", wait.String(), "error", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// once saves if a backup is due, and returns how long nothing is to be done.
func (s *Saver) once(ctx context.Context) (time.Duration, error) {
	at, size, err := s.saveIfDue(ctx)
	if ctx.Err() != nil {
		return 0, err
	}
	if errors.Is(err, errBusy) {
		return busyPause, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Err = err
	if !at.IsZero() {
		s.status.LastSuccess = at
	}
	if err != nil {
		s.status.Failed++
		return min(s.cfg.Interval, retryAfter), err
	}
	if size > 0 {
		s.status.Saved++
		s.status.Size = size
	}
	return max(at.Add(s.cfg.Interval).Sub(s.cfg.Now()), 0), nil
}

// saveIfDue returns when the newest backup was made, and the size of the one
// that it made itself.
func (s *Saver) saveIfDue(ctx context.Context) (newest time.Time, size int64, err error) {
	if err := os.MkdirAll(s.cfg.Directory, 0o700); err != nil {
		return newest, 0, err
	}
	unlock, err := lock(s.cfg.Directory)
	if err != nil {
		return newest, 0, err
	}
	defer unlock()
	kept, err := list(s.cfg.Directory, s.cfg.ClusterName)
	if err != nil {
		return newest, 0, err
	}
	now := s.cfg.Now()
	for _, k := range kept {
		// One from the future is of a clock that was wrong: it keeps nobody from saving.
		if !k.at.After(now) {
			newest = k.at
			break
		}
	}
	if !newest.IsZero() && now.Sub(newest) < s.cfg.Interval {
		return newest, 0, nil
	}
	if size, err = s.save(ctx, now); err != nil {
		return newest, 0, err
	}
	return now, size, s.retain()
}

// save writes a backup beside its place, reads it back and puts it there.
func (s *Saver) save(ctx context.Context, now time.Time) (size int64, err error) {
	bounded, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	state, err := s.cfg.Read(bounded)
	if err != nil {
		return 0, fmt.Errorf("the state is not known to be the newest: %w", err)
	}
	path := filepath.Join(s.cfg.Directory, fileName(s.cfg.ClusterName, s.cfg.NodeID, now, state.Index()))
	err = durable.Write(path, func(file durable.File) error {
		if err := fsm.WriteSnapshot(file, state); err != nil {
			return err
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		info, err := fsm.ReadSnapshotInfo(file)
		if err == nil && info.StateHash != state.Hash() {
			err = fmt.Errorf("%w: it holds another state", fsm.ErrSnapshotDamaged)
		}
		size = info.Size
		return err
	})
	if err != nil {
		return 0, err
	}
	s.cfg.Logger.InfoContext(ctx, "backup saved", "file", path, "index", state.Index(), "bytes", size)
	return size, nil
}

// retain removes the oldest backups beyond those to keep, and what attempts
// that were cut off have left.
func (s *Saver) retain() error {
	kept, err := list(s.cfg.Directory, s.cfg.ClusterName)
	if err != nil {
		return err
	}
	for _, old := range kept[min(s.cfg.Keep, len(kept)):] {
		if err := os.Remove(old.path); err != nil {
			return err
		}
	}
	return removeLeftovers(s.cfg.Directory, s.cfg.ClusterName)
}
