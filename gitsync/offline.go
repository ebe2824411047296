package gitsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
)

// ReadWorkingTree reads an environment from plain files, as they are on disk: a Git working
// tree with changes not committed yet, or no repository at all. The rules and limits are those
// of Mirror.Read. A folder that does not exist is ErrConfig.
func ReadWorkingTree(dir, environment string, limits Limits) (files []File, policy []byte, err error) {
	limits = limits.withDefaults()
	if err := validateEnvironment(environment); err != nil {
		return nil, nil, err
	}
	w := diskWalker{root: dir, limits: limits, gather: gathering{limits: limits}}
	own := environmentsFolder + "/" + environment
	if !isDir(filepath.Join(dir, filepath.FromSlash(own))) {
		return nil, nil, fmt.Errorf("%w: there is no folder %s in %s", ErrConfig, own, dir)
	}
	for _, folder := range []string{own, environmentsFolder + "/" + commonFolder} {
		if folder != own && !exists(filepath.Join(dir, filepath.FromSlash(folder))) {
			continue
		}
		if err := w.folder(folder, 1); err != nil {
			return nil, nil, err
		}
	}
	policyPath := policyFolder + "/" + policyFile
	if exists(filepath.Join(dir, filepath.FromSlash(policyPath))) {
		if policy, err = w.content(policyPath, min(maxPolicyBytes, limits.MaxFileBytes)); err != nil {
			return nil, nil, err
		}
	}
	return w.gather.sorted(), policy, nil
}

// diskWalker is what collector is, for files on disk.
type diskWalker struct {
	root   string
	limits Limits
	gather gathering
}

func (w *diskWalker) folder(path string, depth int) error {
	if err := w.gather.enter(path, depth); err != nil {
		return err
	}
	full := filepath.Join(w.root, filepath.FromSlash(path))
	info, err := os.Lstat(full)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if !info.IsDir() {
		return reject(path, fileProblem(info.Mode())+", not a folder")
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	names := map[string]string{}
	for _, entry := range entries {
		child := joinPath(path, entry.Name())
		if err := checkName(names, child, entry.Name()); err != nil {
			return err
		}
		if entry.IsDir() {
			err = w.folder(child, depth+1)
		} else {
			err = w.file(child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *diskWalker) file(path string) error {
	if err := w.gather.room(path, 0); err != nil {
		return err
	}
	content, err := w.content(path, w.limits.MaxFileBytes)
	if err != nil {
		return err
	}
	return w.gather.add(path, content)
}

func (w *diskWalker) content(path string, limit int64) ([]byte, error) {
	full := filepath.Join(w.root, filepath.FromSlash(path))
	info, err := os.Lstat(full)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if !info.Mode().IsRegular() {
		return nil, reject(path, fileProblem(info.Mode()))
	}
	file, err := os.Open(full)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if int64(len(content)) > limit {
		return nil, reject(path, fmt.Sprintf("is larger than %d bytes", limit))
	}
	return content, checkContent(path, content)
}

func fileProblem(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case mode.IsRegular():
		return "is a file"
	}
	return "is a device, pipe or socket"
}

// ReadRevision reads an environment of the local repository that dir is in, at a revision as git
// rev-parse understands it: a branch, a tag, "HEAD~2", a commit or its beginning. It fails with
// ErrConfig if there is no such revision, otherwise as Mirror.Read does. There is no deployed
// commit to compare with.
func ReadRevision(ctx context.Context, dir, revision, environment string, limits Limits) (*Reading, error) {
	sha, err := resolveRevision(dir, revision)
	if err != nil {
		return nil, err
	}
	request := Request{Commit: sha, Environment: environment}
	if err := request.validate(); err != nil {
		return nil, err
	}
	j := job{Limits: limits.withDefaults(), Requests: []Request{request}}
	var reading *Reading
	to := &caller{answers: func(_ int, r *Reading, e error) { reading, err = r, e }}
	if failed := j.each(ctx, localShelf(dir), isStale, to); failed != nil {
		return nil, failed
	}
	return reading, err
}

func resolveRevision(dir, revision string) (string, error) {
	repository, err := git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return "", fmt.Errorf("%w: %s is not a Git repository", ErrConfig, dir)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	hash, err := repository.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return "", fmt.Errorf("%w: revision %q: %w", ErrConfig, revision, err)
	}
	return hash.String(), nil
}
