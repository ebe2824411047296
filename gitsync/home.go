package gitsync

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// markerFile shows that a directory is ours to change.
	markerFile = ".honua-mirror"
	markerText = "This directory is a mirror that Honua keeps. It may be deleted at any time; do not commit in it.\n"
	lockFile   = ".honua-lock"
	// pointerFile makes the directory usable with git: it names the repository within.
	pointerFile  = ".git"
	identityFile = "honua-identity"
	clonePrefix  = "mirror-"
	// lockPatience is the pause before a lock that another process holds is tried again.
	lockPatience = 20 * time.Millisecond
)

// mirrorHome is the directory in which mirrors are kept: one that is in use, named by the
// pointer file, and for a moment the one that will replace it. Replacing is one rename.
type mirrorHome struct {
	dir      string
	identity string
	lock     *os.File
}

// openMirrorHome takes the directory into use, and waits while another process has it. It
// refuses, with ErrConfig, a directory with something else in it.
func openMirrorHome(ctx context.Context, dir, identity string) (*mirrorHome, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	owned, err := isOurs(dir)
	if err != nil {
		return nil, err
	}
	if !owned {
		return nil, fmt.Errorf("%w: %s is not empty and not a mirror of ours; choose another directory", ErrConfig, dir)
	}
	if err := os.WriteFile(filepath.Join(dir, markerFile), []byte(markerText), 0o600); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	lock, err := takeLock(ctx, filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	return &mirrorHome{dir: dir, identity: identity, lock: lock}, nil
}

// isOurs reports whether a directory is missing, empty, or marked as a mirror of ours.
func isOurs(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	for _, entry := range entries {
		if entry.Name() == markerFile {
			return true, nil
		}
	}
	return len(entries) == 0, nil
}

func takeLock(ctx context.Context, path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = file.Close()
			return nil, fmt.Errorf("%w: lock: %w", ErrStorage, err)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(lockPatience):
		}
	}
}

// close gives the directory back.
func (h *mirrorHome) close() { _ = h.lock.Close() }

// current returns the mirror in use; ok is false if there is none, or it is of something else.
func (h *mirrorHome) current() (path string, ok bool) {
	text, err := readSmall(filepath.Join(h.dir, pointerFile))
	if err != nil {
		return "", false
	}
	name := strings.TrimSpace(strings.TrimPrefix(text, "gitdir: "))
	if !strings.HasPrefix(name, clonePrefix) || filepath.Base(name) != name {
		return "", false
	}
	path = filepath.Join(h.dir, name)
	identity, err := readSmall(filepath.Join(path, identityFile))
	return path, err == nil && identity == h.identity
}

// fresh makes an empty bare repository beside the one in use.
func (h *mirrorHome) fresh(branch string) (string, error) {
	path, err := os.MkdirTemp(h.dir, clonePrefix+"*.git")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrStorage, err)
	}
	files := map[string]string{
		"HEAD":       "ref: refs/heads/" + branch + "\n",
		"config":     "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
		identityFile: h.identity,
	}
	for _, folder := range []string{"objects/pack", "objects/info", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(path, folder), 0o700); err != nil {
			return "", fmt.Errorf("%w: %w", ErrStorage, err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("%w: %w", ErrStorage, err)
		}
	}
	return path, nil
}

// adopt puts a mirror into use and removes all others.
func (h *mirrorHome) adopt(path string) error {
	pointer := filepath.Join(h.dir, pointerFile)
	draft := pointer + ".new"
	if err := os.WriteFile(draft, []byte("gitdir: "+filepath.Base(path)+"\n"), 0o600); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if err := os.Rename(draft, pointer); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	h.sweep(path)
	return nil
}

// sweep removes every mirror but one. What cannot be removed now is removed next time.
func (h *mirrorHome) sweep(keep string) {
	others, _ := filepath.Glob(filepath.Join(h.dir, clonePrefix+"*"))
	for _, other := range others {
		if other != keep {
			_ = os.RemoveAll(other)
		}
	}
}
