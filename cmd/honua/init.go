package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/scaffold"
)

// initView is the answer of `init`.
type initView struct {
	Directory    string   `json:"directory"`
	Branch       string   `json:"branch"`
	Commit       string   `json:"commit"`
	Environments []string `json:"environments"`
}

func newInitCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Make a configuration repository with an example",
		Long: `Make a configuration repository in a folder that is empty or does not exist: the environments
development, staging and production with an example layer, a policy, a README, and a first commit on
the branch main. The commit is by GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL if they are set.`,
		Example: "  honua init my-config\n  honua dev --repo my-config",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			commit, err := createRepository(args[0], author{
				name:  cmp.Or(s.env("GIT_AUTHOR_NAME"), "honua"),
				email: cmp.Or(s.env("GIT_AUTHOR_EMAIL"), "honua@localhost"),
			}, scaffold.Files)
			if err != nil {
				return err
			}
			made := initView{Directory: args[0], Branch: newRepositoryBranch, Commit: commit, Environments: scaffold.Environments()}
			return s.print(made, func(w io.Writer) error { return initNext(w, made) })
		},
	}
}

func initNext(w io.Writer, made initView) error {
	_, err := fmt.Fprintf(w, `Made %[1]s with a first commit %[2]s on %[3]s.

Next:
  honua validate %[1]s -e development    check an environment; for CI, too
  honua dev --repo %[1]s                 a cluster on this machine that follows it
  edit %[1]s/environments/development/metadata.json, git commit, and watch: honua deployment watch
`, made.Directory, view.Short(made.Commit), made.Branch)
	return err
}
