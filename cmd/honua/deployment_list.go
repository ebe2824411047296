package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// maxPage is the largest page that the API gives.
const maxPage = 1000

func newDeploymentListCommand(s *session) *cobra.Command {
	var read readFlags
	var environment string
	var limit uint32
	command := &cobra.Command{
		Use:     "list",
		Short:   "List deployments, the newest first",
		Example: "  honua deployment list -e production\n  honua deployment list --limit 0 -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := s.deployments(cmd.Context(), environment, limit, read.consistency())
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error { return s.deploymentTable(w, list.Deployments) })
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "only this environment's")
	command.Flags().Uint32Var(&limit, "limit", 50, "at most so many; 0 is all of them")
	read.register(command.Flags())
	return command
}

func newDeploymentHistoryCommand(s *session) *cobra.Command {
	var read readFlags
	var environment string
	var limit uint32
	command := &cobra.Command{
		Use:     "history -e ENVIRONMENT",
		Short:   "Show an environment's deployments and how each of them went",
		Example: "  honua deployment history -e production",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := s.deployments(cmd.Context(), environment, limit, read.consistency())
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error {
				for i, d := range list.Deployments {
					if i > 0 {
						newline(w)
					}
					s.deploymentSummary(w, d)
					s.transitions(w, d)
				}
				return nil
			})
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "the environment (required)")
	command.Flags().Uint32Var(&limit, "limit", 10, "at most so many; 0 is all of them")
	required(command, "environment")
	read.register(command.Flags())
	return command
}

// deployments reads pages until there are limit deployments, or all.
func (s *session) deployments(ctx context.Context, environment string, limit uint32, consistency pb.Consistency) (view.DeploymentList, error) {
	if err := s.checkFormat(); err != nil {
		return view.DeploymentList{}, err
	}
	var all []*pb.Deployment
	request := &pb.ListDeploymentsRequest{Environment: environment, Consistency: consistency}
	for {
		request.PageSize = pageSize(limit, len(all))
		var page *pb.ListDeploymentsResponse
		err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
			page, err = c.Deployments().ListDeployments(ctx, request)
			return err
		})
		if err != nil {
			return view.DeploymentList{}, err
		}
		all = append(all, page.GetDeployments()...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" || limit > 0 && len(all) >= int(limit) {
			return view.NewDeploymentList(all, page.GetAppliedIndex(), page.GetNextPageToken()), nil
		}
	}
}

// pageSize is how many more to ask for.
func pageSize(limit uint32, have int) uint32 {
	if limit == 0 {
		return maxPage
	}
	return min(limit-uint32(have), maxPage)
}

func (s *session) deploymentTable(w io.Writer, list []view.Deployment) error {
	const narrow = 7
	t := newTable(w, s.columns(narrow, "ID", s.paint("STATE"), s.paint("HEALTH"), "COMMIT", "AUTHOR", "STARTED", "MESSAGE",
		"ENVIRONMENT", "PHASE", "SYNC", "RISK", "INITIATED BY", "COMPLETED")...)
	for _, d := range list {
		t.row(s.columns(narrow, d.ID, s.paint(d.State), s.paint(d.Health), view.Short(d.Commit), clip(d.Author, 24),
			utc(d.StartedAt), s.clip(view.FirstLine(d.Message), 50),
			d.Environment, d.Phase, d.SyncStatus, d.Risk, d.InitiatedBy, utc(d.CompletedAt))...)
	}
	return t.flush()
}
