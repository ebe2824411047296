package main

import (
	"github.com/spf13/cobra"
)

const rootLong = `Honua GitOps keeps a cluster of Honua nodes in step with a Git repository of
configuration: a commit is checked, planned and activated on all nodes together, or on none.

Begin on this machine:    honua dev
Look at a cluster:        honua status
Make a repository:        honua init my-config

Exit codes: 0 done, 1 error, 2 changes or approval pending (with --exit-code), 3 timed out,
4 denied, 5 no leader, 6 outcome unknown (the error names the request id to repeat it with).`

// newRootCommand assembles the command line.
func newRootCommand(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:               "honua",
		Short:             "Configuration from Git for a cluster of geospatial servers",
		Long:              rootLong,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usageError{cmd, err} })
	s.flags.register(root.PersistentFlags(), s.env)
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupOperate, Title: "Operate a cluster:"},
		&cobra.Group{ID: groupAuthor, Title: "Write configuration:"},
	)
	root.AddCommand(serverCommands(s)...)
	root.AddCommand(grouped(groupRun, newDevCommand(s), newHealthCommand(s), newConfigCommand(s), newTLSCommand(s))...)
	root.AddCommand(grouped(groupOperate,
		newStatusCommand(s), newDeploymentCommand(s), newEnvironmentCommand(s), newClusterCommand(s), newSettingsCommand(s),
		newAuditCommand(s), newTokenCommand(s), newDebugCommand(s))...)
	root.AddCommand(grouped(groupAuthor, newInitCommand(s), newValidateCommand(s), newPlanCommand(s))...)
	root.AddCommand(newVersionCommand(s))
	return root
}

// The groups of the root command's help.
const (
	groupRun     = "run"
	groupOperate = "operate"
	groupAuthor  = "author"
)

func grouped(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, command := range commands {
		command.GroupID = id
	}
	return commands
}

// newGroup makes a command that only has others below it.
func newGroup(use, short string, commands ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	group.AddCommand(commands...)
	return group
}
