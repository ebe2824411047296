package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newDeploymentRollbackCommand(s *session) *cobra.Command {
	var write writeFlags
	var environment, to string
	command := &cobra.Command{
		Use:   "rollback -e ENVIRONMENT --reason WHY",
		Short: "Activate an earlier completed deployment again, and wait until it is served",
		Long: `Activate an earlier completed deployment again, and wait until it is served. Without --to it is
the one that was active before the present one. What is rolled away from is held: it is not deployed
again until it is retried, or the hold is lifted.`,
		Example: `  honua deployment rollback -e production --reason "tiles are empty"
  honua deployment rollback -e production --to production-20261120-091500 --reason "tiles are empty"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			request := &pb.RollbackDeploymentRequest{
				RequestId: write.id(), Environment: environment, ToId: to, Reason: write.reason, Actor: write.approver,
			}
			return s.rollback(cmd.Context(), &write, request)
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "the environment (required)")
	command.Flags().StringVar(&to, "to", "", "the deployment to go back to")
	command.Flags().StringVar(&write.reason, "reason", "", "why (required)")
	required(command, "environment")
	required(command, "reason")
	write.register(command.Flags())
	write.waits(command.Flags())
	return command
}

func (s *session) rollback(ctx context.Context, write *writeFlags, request *pb.RollbackDeploymentRequest) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	var answer *pb.RollbackDeploymentResponse
	err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
		answer, err = c.Deployments().RollbackDeployment(ctx, request)
		return err
	})
	if err != nil {
		return err
	}
	if !write.async {
		if err := s.untilRolledBack(ctx, request.GetEnvironment(), answer); err != nil {
			return err
		}
	}
	target, err := s.deployment(ctx, answer.GetTargetId(), pb.Consistency_CONSISTENCY_UNSPECIFIED)
	if err != nil {
		return err
	}
	return s.deploymentOutcome(target, write.exitCode, true)
}

// untilRolledBack waits until the rollback's operation has ended, or awaits approval.
func (s *session) untilRolledBack(ctx context.Context, environment string, answer *pb.RollbackDeploymentResponse) error {
	bounded, cancel := context.WithTimeout(ctx, s.flags.forOutcome())
	defer cancel()
	display := s.newProgress()
	defer display.close()
	target, state := answer.GetTargetId(), ""
	err := s.watchEnvironment(bounded, environment, func(m *pb.WatchEnvironmentsResponse) error {
		e := m.GetEnvironment()
		state = fmt.Sprintf("rolling back %s to %s", environment, target)
		display.show(rollbackLines(state, e, answer.GetOperationId()))
		done, err := rolledBack(e, answer)
		if done && err == nil {
			return errSettled
		}
		return err
	})
	return s.watched(ctx, err, state)
}

// rollbackLines say how far a rollback is and, below it, its nodes.
func rollbackLines(head string, e *pb.Environment, operation uint64) []string {
	op := e.GetOperation()
	if op.GetId() != operation || op.GetAwaitingApproval() {
		return []string{head}
	}
	return append([]string{head + " / " + view.Name(op.GetPhase())}, nodeLines(view.NewDeployment(e.GetCurrentDeployment()).Nodes, 0)...)
}

// rolledBack judges an environment after a rollback was accepted.
func rolledBack(e *pb.Environment, answer *pb.RollbackDeploymentResponse) (done bool, err error) {
	if op := e.GetOperation(); op.GetId() == answer.GetOperationId() {
		if op.GetAwaitingApproval() {
			return true, fmt.Errorf("the rollback awaits approval: honua deployment approve %s", answer.GetDeployment().GetId())
		}
		return false, nil
	}
	outcome := e.GetLastOutcome()
	switch {
	case outcome.GetOperationId() < answer.GetOperationId():
		return false, nil
	case outcome.GetOperationId() == answer.GetOperationId() && !outcome.GetOk():
		return true, errors.New("the rollback failed: " + outcome.GetMessage())
	default:
		return true, nil
	}
}
