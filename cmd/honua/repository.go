package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/internal/scaffold"
)

// newRepositoryBranch is the branch of a new configuration repository: the one that servers watch by default.
const newRepositoryBranch = "main"

// author is who a first commit is by.
type author struct{ name, email string }

// createRepository makes a configuration repository with a first commit in a folder that is empty or does not exist.
func createRepository(dir string, by author, content func() ([]scaffold.File, error)) (commit string, err error) {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return "", fmt.Errorf("%s is not empty: name a new folder", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("make a repository: %w", err)
	}
	files, err := content()
	if err != nil {
		return "", err
	}
	first := gitsync.FirstCommit{
		Branch: newRepositoryBranch, Files: map[string][]byte{}, Message: "Begin with an example layer",
		Author: by.name, Email: by.email, When: time.Now(),
	}
	for _, file := range files {
		first.Files[file.Path] = file.Content
	}
	return gitsync.InitRepository(dir, first)
}
