package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newSettingsCommand(s *session) *cobra.Command {
	return newGroup("settings", "Show and change what all nodes have to agree on", newSettingsShowCommand(s), newSettingsApplyCommand(s))
}

func newSettingsShowCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use: "show", Short: "Show the cluster-wide settings in force", Args: cobra.NoArgs,
		Long: `Show the settings that are replicated: the repository, environments, policies and limits, under the
keys that they have in a node's appsettings.json. A repository's own policies go before those shown here.`,
		Example: "  honua settings show\n  honua settings show -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			inForce, err := s.settingsInForce(cmd.Context(), read.consistency())
			if err != nil {
				return err
			}
			return s.printSettings(inForce)
		},
	}
	read.register(command.Flags())
	return command
}

func (s *session) settingsInForce(ctx context.Context, consistency pb.Consistency) (inForce view.Settings, err error) {
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Settings().GetSettings(ctx, &pb.GetSettingsRequest{Consistency: consistency})
		inForce = view.NewSettings(answer.GetSettings())
		inForce.FileDigest, inForce.AppliedIndex = answer.GetFileDigest(), answer.GetAppliedIndex()
		return err
	})
	return inForce, err
}

func (s *session) printSettings(shown view.Settings) error {
	flat, err := shown.Flat()
	if err != nil {
		return err
	}
	return s.print(shown, func(w io.Writer) error {
		t := newTable(w, "KEY", "VALUE")
		for _, setting := range flat {
			t.row(safe(setting.Key), safe(setting.Value))
		}
		return t.flush()
	})
}
