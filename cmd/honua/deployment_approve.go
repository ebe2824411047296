package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newDeploymentApproveCommand(s *session) *cobra.Command {
	var write writeFlags
	var override bool
	var comment, commit string
	command := &cobra.Command{
		Use:   "approve ID",
		Short: "Approve a deployment, and wait until it is done",
		Example: `  honua deployment approve production-20261121-143022
  honua deployment approve production-20261121-143022 --override --reason "fixes the outage"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if override && write.reason == "" {
				return errors.New("--override needs a --reason; it is written to the audit trail")
			}
			request := &pb.ApproveDeploymentRequest{
				RequestId: write.id(), Id: args[0], Comment: comment, ExpectedCommit: commit,
				Override: override, Reason: write.reason, Approver: write.approver,
			}
			return s.decide(cmd.Context(), &write, func(ctx context.Context, c *client.Client) (decided, error) {
				answer, err := c.Deployments().ApproveDeployment(ctx, request)
				return decided{answer.GetDeployment(), answer.GetAppliedIndex()}, err
			})
		},
	}
	command.Flags().StringVar(&comment, "comment", "", "a word for the record")
	command.Flags().StringVar(&commit, "commit", "", "refuse unless the deployment is of this commit (40 digits)")
	command.Flags().BoolVar(&override, "override", false, "pass missing approvals, window and pause (admin; audited)")
	command.Flags().StringVar(&write.reason, "reason", "", "why; required with --override")
	write.register(command.Flags())
	write.waits(command.Flags())
	return command
}

func newDeploymentRetryCommand(s *session) *cobra.Command {
	var write writeFlags
	var override bool
	command := &cobra.Command{
		Use:     "retry ID",
		Short:   "Begin a failed or rolled back deployment again, and wait until it is done",
		Example: "  honua deployment retry production-20261121-143022",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if override && write.reason == "" {
				return errors.New("--override needs a --reason; it is written to the audit trail")
			}
			request := &pb.RetryDeploymentRequest{
				RequestId: write.id(), Id: args[0], Override: override, Reason: write.reason, Actor: write.approver,
			}
			return s.decide(cmd.Context(), &write, func(ctx context.Context, c *client.Client) (decided, error) {
				answer, err := c.Deployments().RetryDeployment(ctx, request)
				return decided{answer.GetDeployment(), answer.GetAppliedIndex()}, err
			})
		},
	}
	command.Flags().BoolVar(&override, "override", false, "pass missing approvals, window and pause (admin; audited)")
	command.Flags().StringVar(&write.reason, "reason", "", "why; required with --override")
	write.register(command.Flags())
	write.waits(command.Flags())
	return command
}
