package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// shortestCommit is how many digits of a commit have to be given.
const shortestCommit = 4

func newEnvironmentWaitCommand(s *session) *cobra.Command {
	var commit string
	command := &cobra.Command{
		Use:   "wait ENVIRONMENT --commit SHA",
		Short: "Wait until an environment has the content of a commit",
		Long: `Wait until an environment has the content of a commit: it is deployed, or has exactly what is
deployed. Returns at once if that is so; exits with 1 as soon as the commit's deployment has failed, and
with 3 when --timeout has passed.`,
		Example: "  honua environment wait production --commit $(git rev-parse HEAD) --timeout 2m",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			if len(commit) < shortestCommit || strings.Trim(strings.ToLower(commit), "0123456789abcdef") != "" {
				return fmt.Errorf("--commit %q is not a commit: at least %d hexadecimal digits", commit, shortestCommit)
			}
			return s.waitFor(cmd.Context(), args[0], commit)
		},
	}
	command.Flags().StringVar(&commit, "commit", "", "the commit, or the beginning of its name (required)")
	required(command, "commit")
	return command
}

func (s *session) waitFor(ctx context.Context, name, commit string) error {
	bounded, cancel := context.WithTimeout(ctx, s.flags.forOutcome())
	defer cancel()
	display := s.newProgress()
	defer display.close()
	var last *pb.Environment
	err := s.watchEnvironment(bounded, name, func(m *pb.WatchEnvironmentsResponse) error {
		last = m.GetEnvironment()
		if holds(last, commit) && !inFlight(last) {
			return errSettled
		}
		current := last.GetCurrentDeployment()
		if inFlight(last) {
			display.deployment(current)
		}
		if strings.HasPrefix(current.GetCommit(), strings.ToLower(commit)) && current.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_FAILED {
			return errors.New(current.GetId() + " failed: " + current.GetErrorMessage())
		}
		return nil
	})
	state := fmt.Sprintf("%s serves %s", name, orNothing(view.Short(last.GetDeployedCommit())))
	if err := s.watched(ctx, err, state); err != nil {
		return err
	}
	return s.print(view.NewEnvironment(last), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, state)
		return err
	})
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}
