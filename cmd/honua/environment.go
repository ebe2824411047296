package main

import "github.com/spf13/cobra"

func newEnvironmentCommand(s *session) *cobra.Command {
	group := newGroup("environment", "Read environments and steer what is applied to them",
		newEnvironmentListCommand(s),
		newEnvironmentShowCommand(s),
		newEnvironmentHistoryCommand(s),
		newEnvironmentDriftCommand(s),
		newEnvironmentSyncCommand(s),
		newEnvironmentWaitCommand(s),
		newEnvironmentPauseCommand(s),
		newEnvironmentResumeCommand(s),
		newEnvironmentImportCommand(s),
	)
	group.Aliases = []string{"environments", "env"}
	return group
}
