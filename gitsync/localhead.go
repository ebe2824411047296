package gitsync

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// localHead reads a branch of a local repository from its files: two or three system calls.
type localHead struct{ dir string }

const maxSymbolicRefs = 5

func (l localHead) close() {}

// head implements headReader.
func (l localHead) head(_ context.Context, branch string, _ secrets) (string, error) {
	found, err := findRepository(l.dir)
	if err != nil {
		return "", err
	}
	return found.branch(branch)
}

func (l layout) branch(branch string) (string, error) {
	commit, err := l.ref("refs/heads/" + branch)
	if err != nil || commit != "" {
		return commit, err
	}
	any, err := l.anyBranch()
	if err != nil {
		return "", err
	}
	if any {
		return "", ErrBranchNotFound
	}
	return "", ErrEmptyRepository
}

// ref returns what a ref points to, "" if it does not exist. Packing moves a ref from its own
// file into the list and deletes the file last, so the file is read first; one that was written
// between the two reads is found by looking again.
func (l layout) ref(name string) (string, error) {
	for range maxSymbolicRefs {
		text, err := l.looseRef(name)
		if err == nil && text == "" {
			if text, err = l.packedRef(name); err == nil && text == "" {
				text, err = l.looseRef(name)
			}
		}
		if err != nil || text == "" {
			return "", err
		}
		target, symbolic := strings.CutPrefix(text, "ref: ")
		if !symbolic {
			if !isSHA(text) {
				return "", fmt.Errorf("%w: ref %s holds %q", ErrGarbage, printable(name), printable(text))
			}
			return text, nil
		}
		if name = strings.TrimSpace(target); !plainRef(name) {
			return "", fmt.Errorf("%w: a symbolic ref points to %q", ErrGarbage, printable(name))
		}
	}
	return "", fmt.Errorf("%w: ref %s points in a circle", ErrGarbage, printable(name))
}

// plainRef keeps a symbolic ref from leading out of the repository.
func plainRef(name string) bool {
	return strings.HasPrefix(name, "refs/") && filepath.IsLocal(name)
}

func (l layout) looseRef(name string) (string, error) {
	text, err := readSmall(filepath.Join(l.common, filepath.FromSlash(name)))
	switch {
	case err == nil && strings.TrimSpace(text) == "":
		return "", fmt.Errorf("%w: ref %s is an empty file", ErrGarbage, printable(name))
	case err == nil:
		return strings.TrimSpace(text), nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		return "", nil
	}
	return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func (l layout) packedRef(name string) (string, error) {
	file, err := os.Open(filepath.Join(l.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		sha, ref, ok := strings.Cut(lines.Text(), " ")
		if ok && ref == name {
			return sha, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("%w: packed-refs: %w", ErrGarbage, err)
	}
	return "", nil
}

// anyBranch reports whether the repository has any branch.
func (l layout) anyBranch() (bool, error) {
	found := false
	err := filepath.WalkDir(filepath.Join(l.common, "refs", "heads"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type().IsRegular() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if found {
		return true, nil
	}
	return l.anyPackedBranch()
}

func (l layout) anyPackedBranch() (bool, error) {
	file, err := os.Open(filepath.Join(l.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if _, ref, _ := strings.Cut(lines.Text(), " "); strings.HasPrefix(ref, "refs/heads/") {
			return true, nil
		}
	}
	return false, lines.Err()
}
