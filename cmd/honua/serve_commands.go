package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/gitsync"
)

// serverCommands are the commands that run a node in this process, and the
// hidden one that fetches from a repository for a node, in a process of its own.
func serverCommands(s *session) []*cobra.Command {
	return []*cobra.Command{newServerCommand(s), newGitWorkerCommand()}
}

// newGitWorkerCommand is the child of gitsync: what it reads is not trusted, so
// it works under limits that a node must not have.
func newGitWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "git-worker", Hidden: true, Args: cobra.NoArgs,
		Short: "Fetch and read a repository (started by a node)",
		Run: func(cmd *cobra.Command, _ []string) {
			os.Exit(gitsync.WorkerMain(cmd.Context(), os.Stdin, os.Stdout))
		},
	}
}
