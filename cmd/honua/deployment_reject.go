package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newDeploymentRejectCommand(s *session) *cobra.Command {
	var write writeFlags
	command := &cobra.Command{
		Use:     "reject ID --reason WHY",
		Short:   "Reject a deployment that awaits approval; its content is held",
		Example: `  honua deployment reject production-20261121-143022 --reason "wrong table"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := &pb.RejectDeploymentRequest{RequestId: write.id(), Id: args[0], Reason: write.reason, Approver: write.approver}
			return s.end(cmd.Context(), func(ctx context.Context, c *client.Client) (decided, error) {
				answer, err := c.Deployments().RejectDeployment(ctx, request)
				return decided{answer.GetDeployment(), answer.GetAppliedIndex()}, err
			})
		},
	}
	command.Flags().StringVar(&write.reason, "reason", "", "why (required)")
	required(command, "reason")
	write.register(command.Flags())
	return command
}

func newDeploymentCancelCommand(s *session) *cobra.Command {
	var write writeFlags
	command := &cobra.Command{
		Use:     "cancel ID",
		Short:   "Cancel a deployment that has not been activated",
		Example: `  honua deployment cancel production-20261121-143022 --reason "not today"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := &pb.CancelDeploymentRequest{RequestId: write.id(), Id: args[0], Reason: write.reason, Actor: write.approver}
			return s.end(cmd.Context(), func(ctx context.Context, c *client.Client) (decided, error) {
				answer, err := c.Deployments().CancelDeployment(ctx, request)
				return decided{answer.GetDeployment(), answer.GetAppliedIndex()}, err
			})
		},
	}
	command.Flags().StringVar(&write.reason, "reason", "", "why")
	write.register(command.Flags())
	return command
}
