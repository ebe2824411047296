package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/internal/config"
)

// checkGit asks for the head of each watched branch with the node's own
// credentials, and returns what it found, in words. A node that has state serves
// and votes without its repository: for it, a repository that does not answer is
// no error, because a restart must not wait for Git.
func checkGit(ctx context.Context, c *config.Config) (findings []string, err error) {
	_, statErr := os.Stat(filepath.Join(c.Cluster.DataDirectory, "raft.db"))
	known := !errors.Is(statErr, fs.ErrNotExist)
	_, origin, err := gitsync.Place(c.GitOps.RepositoryPath, filepath.Join(c.Cluster.DataDirectory, "mirror"))
	if err != nil {
		return nil, err
	}
	url := c.GitOps.RepositoryURL
	if url == "" {
		url = origin
	}
	asked := map[string]bool{}
	for _, e := range c.GitOps.EnvironmentList() {
		if asked[e.Branch] {
			continue
		}
		asked[e.Branch] = true
		head, err := headOf(ctx, c, url, e.Branch)
		switch {
		case err == nil:
			findings = append(findings, fmt.Sprintf("branch %s is at %s", e.Branch, head))
		case known:
			findings = append(findings, fmt.Sprintf("branch %s cannot be read; this node has state and serves without it: %v", e.Branch, err))
		default:
			return findings, fmt.Errorf("branch %s cannot be read: %w", e.Branch, err)
		}
	}
	return findings, nil
}

func headOf(ctx context.Context, c *config.Config, url, branch string) (string, error) {
	credentials := c.GitOps.Credentials
	mirror, err := gitsync.Open(gitsync.Config{
		URL: url, Branch: branch, MirrorDir: filepath.Join(c.Cluster.DataDirectory, "mirror"),
		Credentials: gitsync.Credentials{
			Username: credentials.Username.Reveal(), Password: credentials.Password.Reveal(),
			SSHKeyFile: credentials.SSHKeyFile, SSHKnownHostsFile: credentials.SSHKnownHostsFile,
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", err
	}
	defer mirror.Close()
	return mirror.Head(ctx)
}
