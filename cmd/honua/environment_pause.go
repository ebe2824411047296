package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newEnvironmentPauseCommand(s *session) *cobra.Command {
	var write writeFlags
	var all bool
	var until string
	command := &cobra.Command{
		Use:   "pause ENVIRONMENT|--all --reason WHY",
		Short: "Keep new content from being applied; what is served stays",
		Example: `  honua environment pause production --reason "census night" --until 2026-11-22T06:00:00Z
  honua environment pause --all --reason "moving the databases" --until 2h`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := oneOrAll(args, all)
			if err != nil {
				return err
			}
			end, err := parseUntil(until, time.Now())
			if err != nil {
				return err
			}
			request := &pb.PauseEnvironmentRequest{
				RequestId: write.id(), Environment: name, All: all, Reason: write.reason, Until: end, Actor: write.approver,
			}
			return s.steer(cmd.Context(), name, "paused", func(ctx context.Context, c *client.Client) (*pb.Environment, error) {
				answer, err := c.Environments().PauseEnvironment(ctx, request)
				return answer.GetEnvironment(), err
			})
		},
	}
	command.Flags().BoolVar(&all, "all", false, "every environment, present and future")
	command.Flags().StringVar(&until, "until", "", "when it ends by itself: a time (RFC 3339) or a duration such as 2h")
	command.Flags().StringVar(&write.reason, "reason", "", "why (required)")
	required(command, "reason")
	write.register(command.Flags())
	return command
}

func newEnvironmentResumeCommand(s *session) *cobra.Command {
	var write writeFlags
	var all bool
	command := &cobra.Command{
		Use:     "resume ENVIRONMENT|--all",
		Short:   "End a pause",
		Example: "  honua environment resume production\n  honua environment resume --all",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := oneOrAll(args, all)
			if err != nil {
				return err
			}
			request := &pb.ResumeEnvironmentRequest{
				RequestId: write.id(), Environment: name, All: all, Reason: write.reason, Actor: write.approver,
			}
			return s.steer(cmd.Context(), name, "resumed", func(ctx context.Context, c *client.Client) (*pb.Environment, error) {
				answer, err := c.Environments().ResumeEnvironment(ctx, request)
				return answer.GetEnvironment(), err
			})
		},
	}
	command.Flags().BoolVar(&all, "all", false, "end the pause of every environment")
	command.Flags().StringVar(&write.reason, "reason", "", "why")
	write.register(command.Flags())
	return command
}

func oneOrAll(args []string, all bool) (string, error) {
	if all == (len(args) == 1) {
		return "", errors.New("name one environment, or --all")
	}
	if all {
		return "", nil
	}
	return args[0], nil
}

// parseUntil reads a moment or a duration from now; nil if there is none.
func parseUntil(text string, now time.Time) (*timestamppb.Timestamp, error) {
	if text == "" {
		return nil, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return timestamppb.New(now.Add(d)), nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, fmt.Errorf("--until %q is neither a time like 2026-11-22T06:00:00Z nor a duration like 2h", text)
	}
	return timestamppb.New(moment), nil
}

// steer makes a change of one environment, or of all if name is empty, and shows it.
func (s *session) steer(ctx context.Context, name, verb string, change func(context.Context, *client.Client) (*pb.Environment, error)) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	var environment *pb.Environment
	err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
		environment, err = change(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	if name == "" {
		list, err := s.environments(ctx, pb.Consistency_CONSISTENCY_UNSPECIFIED)
		if err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "all environments are %s\n", verb)
			return err
		})
	}
	return s.print(view.NewEnvironment(environment), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is %s\n", name, verb)
		return err
	})
}
