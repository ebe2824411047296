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

func newDeploymentWatchCommand(s *session) *cobra.Command {
	var environment string
	var after uint64
	command := &cobra.Command{
		Use:   "watch [ID]",
		Short: "Follow one deployment to its end, or all of them until interrupted",
		Long: `Follow one deployment until it is Completed, Failed, RolledBack or Superseded, or all of them until interrupted.
When the node that is asked goes away, another one is asked, from the same event on. With -o json each
event is one line.`,
		Example: "  honua deployment watch production-20261121-143022\n  honua deployment watch -e production -o json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			request := &pb.WatchDeploymentsRequest{Environment: environment, AfterIndex: after}
			if len(args) == 1 {
				request.Id = args[0]
				return s.watchOne(cmd.Context(), request)
			}
			return s.watchAll(cmd.Context(), request)
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "only this environment's")
	command.Flags().Uint64Var(&after, "after", 0, "events after this index, such as the last one that was seen")
	return command
}

// watchOne follows a deployment to its end, also while it awaits approval or its window. It has no time limit unless --timeout is given.
func (s *session) watchOne(ctx context.Context, request *pb.WatchDeploymentsRequest) error {
	var last *pb.Deployment
	display := s.newProgress()
	err := s.watchEvents(ctx, request, func(m *pb.WatchDeploymentsResponse) error {
		if m.GetDeployment() == nil {
			return nil
		}
		last = m.GetDeployment()
		display.deployment(last)
		if ended(last) {
			return errSettled
		}
		return nil
	})
	display.close()
	if err := s.watched(ctx, err, request.GetId()+" is "+stateName(last)); err != nil {
		return err
	}
	return s.deploymentOutcome(last, false, false)
}

// watchAll prints every event until the command is interrupted, which is its normal end.
func (s *session) watchAll(ctx context.Context, request *pb.WatchDeploymentsRequest) error {
	err := s.watchEvents(ctx, request, s.printEvent)
	if errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled) {
		err = nil
	}
	return s.watched(ctx, err, "the watch")
}

// watchEvents watches, and begins again with the present where events were lost, which it says.
func (s *session) watchEvents(ctx context.Context, request *pb.WatchDeploymentsRequest, handle func(*pb.WatchDeploymentsResponse) error) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if s.flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.flags.timeout)
		defer cancel()
	}
	for {
		err := c.WatchDeployments(ctx, request, handle)
		if !errors.Is(err, client.ErrGap) {
			return err
		}
		fmt.Fprintf(s.err, "Some events are not kept any more (%s); going on with the present.\n", client.Message(err))
		request.AfterIndex = 0
	}
}

// eventView is one line of `deployment watch -o json`.
type eventView struct {
	Index      uint64            `json:"index"`
	Event      *view.AuditRecord `json:"event"`
	Deployment view.Deployment   `json:"deployment"`
}

func (s *session) printEvent(m *pb.WatchDeploymentsResponse) error {
	if m.GetDeployment() == nil {
		return nil
	}
	d := view.NewDeployment(m.GetDeployment())
	shown := eventView{Index: m.GetIndex(), Deployment: d}
	if m.GetEvent() != nil {
		event := view.NewAuditRecord(m.GetEvent())
		shown.Event = &event
	}
	switch s.flags.output {
	case formatJSON:
		return writeJSONLine(s.out, shown)
	case formatYAML:
		fmt.Fprintln(s.out, "---")
		return writeYAML(s.out, shown)
	}
	what := ""
	if shown.Event != nil {
		what = shown.Event.Action
	}
	_, err := fmt.Fprintf(s.out, "%s  %s  %s  %s  %s%s\n", utc(d.UpdatedAt), d.ID, s.paint(d.State), view.Short(d.Commit), safe(what), because(d))
	return err
}
