package main

import "github.com/spf13/cobra"

func newDeploymentCommand(s *session) *cobra.Command {
	group := newGroup("deployment", "Read deployments and decide on them",
		newDeploymentListCommand(s),
		newDeploymentShowCommand(s),
		newDeploymentHistoryCommand(s),
		newDeploymentWatchCommand(s),
		newDeploymentPlanCommand(s),
		newDeploymentApproveCommand(s),
		newDeploymentRejectCommand(s),
		newDeploymentCancelCommand(s),
		newDeploymentRetryCommand(s),
		newDeploymentRollbackCommand(s),
	)
	group.Aliases = []string{"deployments", "deploy"}
	return group
}
