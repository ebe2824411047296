package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newEnvironmentListCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use:     "list",
		Short:   "List environments",
		Example: "  honua environment list\n  honua environment list -o wide",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			list, err := s.environments(cmd.Context(), read.consistency())
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error {
				freezeLine(w, list.Freeze)
				return s.environmentTable(w, list.Environments)
			})
		},
	}
	read.register(command.Flags())
	return command
}

func (s *session) environments(ctx context.Context, consistency pb.Consistency) (list view.EnvironmentList, err error) {
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Environments().ListEnvironments(ctx, &pb.ListEnvironmentsRequest{Consistency: consistency})
		list = view.NewEnvironmentList(answer.GetEnvironments(), answer.GetFreeze(), answer.GetAppliedIndex())
		return err
	})
	return list, err
}

func (s *session) environmentTable(w io.Writer, list []view.Environment) error {
	const narrow = 7
	t := newTable(w, s.columns(narrow, "NAME", s.paint("HEALTH"), s.paint("SYNC"), "DEPLOYED", "LATEST", "DEPLOYMENT", "UPDATED",
		"BRANCH", "ACTIVATION", "DIGEST", "HOLDS", "PAUSED")...)
	for _, e := range list {
		t.row(s.columns(narrow, e.Name, s.paint(e.Health), s.paint(e.SyncStatus), view.Short(e.DeployedCommit),
			view.Short(e.LatestCommit), e.ActiveDeploymentID, utc(e.LastUpdated),
			e.Branch, number(e.ActivationIndex), view.Short(e.ActiveDigest), number(uint64(len(e.Holds))), yesNo(e.Pause != nil))...)
	}
	return t.flush()
}

func freezeLine(w io.Writer, freeze *view.Pause) {
	if freeze != nil {
		fmt.Fprintf(w, "All environments are paused%s\n\n", pauseText(*freeze))
	}
}

func pauseText(p view.Pause) string {
	text := fmt.Sprintf(" by %s since %s: %s", safe(p.Actor), utc(p.Since), safe(p.Reason))
	if p.Until != nil {
		text += ", until " + utc(p.Until)
	}
	return text
}

func newEnvironmentShowCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use:   "show ENVIRONMENT",
		Short: "Show one environment: what it serves, where, and what keeps it from more",
		Long: `Show one environment: what it serves, where, and what keeps it from more. With -o json or yaml it also
shows the configuration in force: each server setting and data source with the file and line where it was
said (environment, shared, or a default) and what it overrides. The table shows what is no default.`,
		Example: "  honua environment show production\n  honua environment show production -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			answer, err := s.environmentWith(cmd.Context(), &pb.GetEnvironmentRequest{
				Name: args[0], Consistency: read.consistency(), IncludeConfiguration: true,
			})
			if err != nil {
				return err
			}
			e := shownEnvironment{view.NewEnvironment(answer.GetEnvironment()), view.NewConfiguration(answer.GetConfiguration())}
			return s.print(e, func(w io.Writer) error {
				freezeLine(w, view.NewPause(answer.GetFreeze()))
				if err := s.environmentDetails(w, e.Environment); err != nil {
					return err
				}
				return s.configurationTable(w, e.Configuration)
			})
		},
	}
	read.register(command.Flags())
	return command
}

// shownEnvironment is the answer of `environment show`.
type shownEnvironment struct {
	view.Environment
	Configuration *view.Configuration `json:"configuration"`
}

// configurationTable shows what somebody said; defaults are in the JSON.
func (s *session) configurationTable(w io.Writer, c *view.Configuration) error {
	if c == nil {
		return nil
	}
	newline(w)
	t := newTable(w, "CONFIGURATION", "VALUE", "FROM", "OVERRIDES")
	for _, setting := range c.Settings {
		if setting.Source != "" {
			t.row(safe(setting.Name), s.clip(string(setting.Value), 40), safe(setting.Source), safe(setting.Overrides))
		}
	}
	for _, source := range c.DataSources {
		t.row("data source "+safe(source.ID), safe(source.Type), safe(source.Source), safe(source.Overrides))
	}
	return t.flush()
}

func (s *session) environmentDetails(w io.Writer, e view.Environment) error {
	fmt.Fprintf(w, "%s  %s  %s\n", e.Name, s.paint(e.Health), s.paint(e.SyncStatus))
	pair(w, "Health", e.HealthMessage)
	pair(w, "Branch", e.Branch)
	pair(w, "Deployed", view.Short(e.DeployedCommit))
	pair(w, "Latest", view.Short(e.LatestCommit))
	pair(w, "Digest", e.ActiveDigest)
	pair(w, "Deployment", e.ActiveDeploymentID)
	pair(w, "Updated", utc(e.LastUpdated))
	pair(w, "Poll error", e.PollError)
	if e.Pause != nil {
		fmt.Fprintf(w, "Paused%s. Next: honua environment resume %s\n", pauseText(*e.Pause), e.Name)
	}
	for _, hold := range e.Holds {
		fmt.Fprintf(w, "Held: %s: %s\n", view.Short(hold.Commit), safe(hold.Reason))
	}
	if len(e.Holds) > 0 {
		fmt.Fprintf(w, "Next: fix it with a new commit, or honua environment sync %s --lift-hold\n", e.Name)
	}
	if d := e.CurrentDeployment; d != nil {
		newline(w)
		s.deploymentSummary(w, *d)
		failure(w, *d)
		approvals(w, *d)
	}
	newline(w)
	t := newTable(w, "NODE", "SERVES", "DIGEST", "AVAILABLE", "NOTE")
	for _, served := range e.ServedBy {
		t.row(served.NodeID, number(served.ActivationIndex), view.Short(served.Digest), yesNo(served.Available), safe(served.Message))
	}
	return t.flush()
}

func newEnvironmentHistoryCommand(s *session) *cobra.Command {
	var read readFlags
	var limit uint32
	command := &cobra.Command{
		Use:     "history ENVIRONMENT",
		Short:   "List what an environment served, the newest first",
		Example: "  honua environment history production",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := s.activations(cmd.Context(), args[0], limit, read.consistency())
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error {
				t := newTable(w, "INDEX", "KIND", "DEPLOYMENT", "COMMIT", "DIGEST", "AT", "ACTOR", "REASON")
				for _, a := range list.Activations {
					t.row(number(a.Index), a.Kind, a.DeploymentID, view.Short(a.Commit), view.Short(a.Digest), utc(a.At),
						safe(a.Actor), s.clip(a.Reason, 60))
				}
				return t.flush()
			})
		},
	}
	command.Flags().Uint32Var(&limit, "limit", 50, "at most so many; 0 is all of them")
	read.register(command.Flags())
	return command
}

func (s *session) activations(ctx context.Context, environment string, limit uint32, consistency pb.Consistency) (view.ActivationList, error) {
	if err := s.checkFormat(); err != nil {
		return view.ActivationList{}, err
	}
	var all []*pb.Activation
	request := &pb.ListActivationsRequest{Environment: environment, Consistency: consistency}
	for {
		request.PageSize = pageSize(limit, len(all))
		var page *pb.ListActivationsResponse
		err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
			page, err = c.Environments().ListActivations(ctx, request)
			return err
		})
		if err != nil {
			return view.ActivationList{}, err
		}
		all = append(all, page.GetActivations()...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" || limit > 0 && len(all) >= int(limit) {
			return view.NewActivationList(all, page.GetAppliedIndex(), page.GetNextPageToken()), nil
		}
	}
}
