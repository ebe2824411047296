package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// formatMarkdown is a plan as a comment for a pull request.
const formatMarkdown = "markdown"

func newDeploymentPlanCommand(s *session) *cobra.Command {
	var read readFlags
	var environment, id string
	var exitCode bool
	command := &cobra.Command{
		Use:     "plan -e ENVIRONMENT",
		Short:   "Show what the deployment that is pending would change",
		Long:    "Show what the deployment that is pending would change; if none is, what the newest one changed.",
		Example: "  honua deployment plan -e production\n  honua deployment plan -e production -o markdown",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(formatMarkdown); err != nil {
				return err
			}
			var answer *pb.PlanDeploymentResponse
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) (err error) {
				answer, err = c.Deployments().PlanDeployment(ctx, &pb.PlanDeploymentRequest{
					Environment: environment, Id: id, Consistency: read.consistency(),
				})
				return err
			})
			if err != nil {
				return err
			}
			if err := s.printPlan(view.NewPlan(answer.GetPlan()), exitCode); err != nil {
				return err
			}
			if d := view.NewDeployment(answer.GetDeployment()); d.State == "Failed" {
				fmt.Fprintf(s.err, "%s failed%s\n", d.ID, because(d))
			}
			return nil
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "the environment (required)")
	command.Flags().StringVar(&id, "id", "", "the plan of this deployment")
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 if something changes")
	required(command, "environment")
	read.register(command.Flags())
	return command
}

// printPlan prints a plan in the format asked for and, with --exit-code, tells by its error whether something changes.
func (s *session) printPlan(plan catalog.Plan, exitCode bool) error {
	var err error
	if s.flags.output == formatMarkdown {
		err = catalog.WriteMarkdown(s.out, plan)
	} else {
		err = s.print(plan, func(w io.Writer) error { return catalog.WriteText(w, plan) })
	}
	if err == nil && exitCode && !plan.Empty() {
		return errPending
	}
	return err
}
