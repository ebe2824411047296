package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
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

// decision is a change of one deployment.
type decision func(context.Context, *client.Client) (decided, error)

// decided is a deployment right after a change of it, and the index at which it was so.
type decided struct {
	deployment *pb.Deployment
	index      uint64
}

func (s *session) change(ctx context.Context, change decision) (after decided, err error) {
	if err := s.checkFormat(); err != nil {
		return decided{}, err
	}
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		after, err = change(ctx, c)
		return err
	})
	return after, err
}

// decide makes a change after which a deployment goes on, and waits for where it ends.
func (s *session) decide(ctx context.Context, write *writeFlags, change decision) error {
	after, err := s.change(ctx, change)
	if err != nil {
		return err
	}
	if write.async || settled(after.deployment) {
		return s.deploymentOutcome(after.deployment, write.exitCode, write.async)
	}
	last, err := s.untilSettled(ctx, after)
	if err != nil {
		return err
	}
	return s.deploymentOutcome(last, write.exitCode, false)
}

// end makes a change that ends a deployment.
func (s *session) end(ctx context.Context, change decision) error {
	after, err := s.change(ctx, change)
	if err != nil {
		return err
	}
	return s.printDeployment(after.deployment)
}

func (s *session) printDeployment(d *pb.Deployment) error {
	shown := view.NewDeployment(d)
	return s.print(shown, func(w io.Writer) error {
		fmt.Fprintf(w, "%s: %s%s\n", shown.ID, s.paint(shown.State), because(shown))
		return nil
	})
}

func because(d view.Deployment) string {
	switch {
	case d.ErrorMessage != "":
		return ": " + safe(d.ErrorMessage)
	case d.RolledBackTo != "":
		return " to " + d.RolledBackTo
	case d.SupersededBy != "":
		return " by " + d.SupersededBy
	}
	return ""
}

// deploymentOutcome prints where a deployment stands and turns it into the command's result.
func (s *session) deploymentOutcome(d *pb.Deployment, exitCode, accepted bool) error {
	if err := s.printDeployment(d); err != nil {
		return err
	}
	switch d.GetState() {
	case pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL:
		if !s.structured() {
			fmt.Fprintf(s.err, "%d of %d approvals. Next: honua deployment approve %s\n",
				len(d.GetApprovals()), d.GetRequiredApprovers(), d.GetId())
		}
		if exitCode {
			return errPending
		}
	case pb.DeploymentState_DEPLOYMENT_STATE_FAILED, pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK,
		pb.DeploymentState_DEPLOYMENT_STATE_SUPERSEDED:
		if accepted {
			return nil
		}
		for _, problem := range d.GetProblems() {
			fmt.Fprintf(s.err, "  %s\n", safe(problem))
		}
		return errSaid
	}
	return nil
}

// settled reports that nothing more happens to a deployment by itself.
func settled(d *pb.Deployment) bool {
	switch d.GetState() {
	case pb.DeploymentState_DEPLOYMENT_STATE_PENDING, pb.DeploymentState_DEPLOYMENT_STATE_APPLYING,
		pb.DeploymentState_DEPLOYMENT_STATE_UNSPECIFIED:
		return false
	}
	return true
}
