package gitsync

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layout is where the parts of a local repository are.
type layout struct {
	// common holds objects and branches.
	common string
	// own holds HEAD: the same, except in a linked worktree.
	own string
}

// findRepository finds the repository in dir: a bare one, one with a .git folder, or a worktree
// or submodule whose .git is a file. It fails with ErrUnavailable if there is none, and with
// ErrUnsupported if its format is not the one that is read here.
func findRepository(dir string) (layout, error) {
	own, err := gitFolder(dir)
	if err != nil {
		return layout{}, err
	}
	found := layout{common: own, own: own}
	if text, err := readSmall(filepath.Join(own, "commondir")); err == nil {
		found.common = resolvePath(own, strings.TrimSpace(text))
	}
	if !isDir(filepath.Join(found.common, "objects")) {
		return layout{}, fmt.Errorf("%w: %s is not a Git repository", ErrUnavailable, dir)
	}
	if isDir(filepath.Join(found.common, "reftable")) {
		return layout{}, fmt.Errorf("%w: it stores refs as a reftable", ErrUnsupported)
	}
	return found, nil
}

func gitFolder(dir string) (string, error) {
	dotGit := filepath.Join(dir, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case err == nil && info.IsDir():
		return dotGit, nil
	case err == nil:
		text, err := readSmall(dotGit)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		target, ok := strings.CutPrefix(strings.TrimSpace(text), "gitdir: ")
		if !ok {
			return "", fmt.Errorf("%w: %s does not name a repository", ErrUnavailable, dotGit)
		}
		return resolvePath(dir, target), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	case isDir(dir):
		return dir, nil
	}
	return "", fmt.Errorf("%w: there is no folder %s", ErrUnavailable, dir)
}

func resolvePath(from, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(from, path)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// smallFile bounds the files that name other files and refs.
const smallFile = 64 << 10

func readSmall(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, smallFile))
	return string(data), err
}
