package gitsync

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// FirstCommit is what InitRepository commits.
type FirstCommit struct {
	// Branch is created and checked out, such as "main".
	Branch string
	// Files are the contents by path, relative to the repository's root.
	Files   map[string][]byte
	Message string
	// Author and Email are those of the committer, too.
	Author, Email string
	// When is the time of the commit.
	When time.Time
}

// InitRepository makes an ordinary working tree with one commit in dir and returns the commit. The
// folder may exist; if it is a repository already, or a file of the same name is in it, that is
// ErrConfig and nothing of it is changed.
func InitRepository(dir string, first FirstCommit) (commit string, err error) {
	if err := validateBranch(first.Branch); err != nil {
		return "", err
	}
	if exists(filepath.Join(dir, ".git")) {
		return "", fmt.Errorf("%w: %s is a Git repository already", ErrConfig, dir)
	}
	paths, err := freePaths(dir, first.Files)
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		if err := writeFile(dir, path, first.Files[path]); err != nil {
			return "", err
		}
	}
	repository, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{
		InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName(first.Branch)},
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return commitAll(repository, paths, first)
}

// freePaths checks all paths before anything is written.
func freePaths(dir string, files map[string][]byte) ([]string, error) {
	var paths []string
	for path := range files {
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return nil, fmt.Errorf("%w: %q is not a path in the repository", ErrConfig, path)
		}
		if exists(filepath.Join(dir, filepath.FromSlash(path))) {
			return nil, fmt.Errorf("%w: %s exists already in %s", ErrConfig, path, dir)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths, nil
}

func writeFile(dir, path string, content []byte) error {
	full := filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if err := os.WriteFile(full, content, 0o644); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return nil
}

func commitAll(repository *git.Repository, paths []string, first FirstCommit) (string, error) {
	tree, err := repository.Worktree()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrStorage, err)
	}
	for _, path := range paths {
		if _, err := tree.Add(path); err != nil {
			return "", fmt.Errorf("%w: %w", ErrStorage, err)
		}
	}
	who := &object.Signature{Name: first.Author, Email: first.Email, When: first.When}
	hash, err := tree.Commit(first.Message, &git.CommitOptions{Author: who, Committer: who, AllowEmptyCommits: true})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return hash.String(), nil
}
