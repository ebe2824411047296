package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newEnvironmentSyncCommand(s *session) *cobra.Command {
	var write writeFlags
	var liftHold bool
	command := &cobra.Command{
		Use:   "sync ENVIRONMENT",
		Short: "Look for a new commit now, and wait for what comes of it",
		Long: `Look for a new commit now, and wait for what comes of it. It returns when the environment serves
the newest commit, when that awaits approval, or when it failed or is held; a hold is only lifted
with --lift-hold.`,
		Example: "  honua environment sync development\n  honua environment sync production --lift-hold",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := &pb.SyncEnvironmentRequest{
				RequestId: write.id(), Environment: args[0], LiftHold: liftHold, Actor: write.approver,
			}
			return s.sync(cmd.Context(), &write, request)
		},
	}
	command.Flags().BoolVar(&liftHold, "lift-hold", false, "deploy what was rejected, failed or rolled back before")
	write.register(command.Flags())
	write.waits(command.Flags())
	return command
}

// syncView is the answer of `environment sync`.
type syncView struct {
	Generation  uint64            `json:"generation"`
	Outcome     string            `json:"outcome"`
	Message     string            `json:"message"`
	Environment *view.Environment `json:"environment"`
}

func (r syncResult) String() string {
	return [...]string{"Running", "Synced", "AwaitingApproval", "Waiting", "Failed", "Held", "Unreadable"}[r]
}

func (s *session) sync(ctx context.Context, write *writeFlags, request *pb.SyncEnvironmentRequest) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	var answer *pb.SyncEnvironmentResponse
	err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
		answer, err = c.Environments().SyncEnvironment(ctx, request)
		return err
	})
	if err != nil {
		return err
	}
	if write.async {
		return s.printSync(syncView{Generation: answer.GetGeneration(), Outcome: syncRunning.String(), Message: "a poll was asked for"})
	}
	end, err := s.untilSynced(ctx, request.GetEnvironment(), answer)
	if err != nil {
		return err
	}
	return s.syncEnded(end, answer.GetGeneration(), write.exitCode)
}

// syncEnd is how a sync ended.
type syncEnd struct {
	result      syncResult
	message     string
	environment *pb.Environment
}

func (s *session) untilSynced(ctx context.Context, name string, answer *pb.SyncEnvironmentResponse) (syncEnd, error) {
	bounded, cancel := context.WithTimeout(ctx, s.flags.forOutcome())
	defer cancel()
	watching, enough := context.WithCancelCause(bounded)
	defer enough(nil)
	quiet := newQuiet(func() { enough(errQuiet) })
	defer quiet.stop()
	display := s.newProgress()
	defer display.close()
	var end syncEnd
	followed := "" // the deployment whose progress is shown, to its end
	err := s.watchEnvironment(watching, name, func(m *pb.WatchEnvironmentsResponse) error {
		end.environment = m.GetEnvironment()
		end.result, end.message = syncOutcome(end.environment, m.GetPollGeneration(), answer.GetGeneration())
		if d := end.environment.GetCurrentDeployment(); d != nil && (inFlight(end.environment) || d.GetId() == followed) {
			followed = d.GetId()
			display.deployment(d)
		} else if end.result == syncRunning {
			display.show([]string{end.message})
		}
		if end.result != syncRunning {
			return errSettled
		}
		quiet.observe(nothingMoves(end.environment, m.GetPollGeneration() >= answer.GetGeneration()))
		return nil
	})
	if errors.Is(context.Cause(watching), errQuiet) {
		end.result, end.message = syncHeld, heldText(end.environment)
		return end, nil
	}
	return end, s.watched(ctx, err, end.message)
}

// syncEnded prints how a sync ended and turns it into the command's result.
func (s *session) syncEnded(end syncEnd, generation uint64, exitCode bool) error {
	e := view.NewEnvironment(end.environment)
	shown := syncView{Generation: generation, Outcome: end.result.String(), Message: end.message, Environment: &e}
	if end.result != syncDone && end.result != syncAwaiting && end.result != syncWaiting {
		return s.syncFailed(end, shown)
	}
	if err := s.printSync(shown); err != nil {
		return err
	}
	if exitCode && end.result != syncDone {
		return errPending
	}
	return nil
}

// syncFailed says what keeps the newest commit from being served, and what to do about it.
func (s *session) syncFailed(end syncEnd, shown syncView) error {
	if s.structured() {
		if err := s.printSync(shown); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.err, "Error: %s\n", safe(end.message))
	if d := end.environment.GetCurrentDeployment(); d.GetCommit() == end.environment.GetLatestCommit() {
		for _, problem := range d.GetProblems() {
			if !strings.Contains(end.message, problem) {
				fmt.Fprintf(s.err, "  %s\n", safe(problem))
			}
		}
	}
	switch end.result {
	case syncFailed, syncHeld:
		fmt.Fprintf(s.err, "It is not tried again by itself: fix it with a new commit, or honua environment sync %s --lift-hold\n", end.environment.GetName())
	case syncUnread:
		fmt.Fprintln(s.err, "What is served stays as it is; polling goes on.")
	}
	return errSaid
}

func (s *session) printSync(shown syncView) error {
	return s.print(shown, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, safe(shown.Message))
		return err
	})
}
