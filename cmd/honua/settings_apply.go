package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/config"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// settingsApplied is the answer of `settings apply`.
type settingsApplied struct {
	Applied bool                 `json:"applied"`
	Changes []view.SettingChange `json:"changes"`
	// AppliedIndex is 0 where nothing was applied.
	AppliedIndex uint64 `json:"appliedIndex"`
}

func newSettingsApplyCommand(s *session) *cobra.Command {
	var write writeFlags
	var dryRun bool
	command := &cobra.Command{
		Use:   "apply FILE",
		Short: "Put the cluster-wide settings of a node's appsettings.json in force, on all nodes at once",
		Long: `Put what a node's appsettings.json says about the cluster in force, on all nodes at once: everything
under GitOps but paths and credentials. The file is read as the server reads it, with the environment
variables of this shell over it; its other sections are checked and left alone. Environments that it does not
name are retired: nothing is deployed to them any more, their history stays. Shows each key that changes.

It overrules the nodes' files as they are. A majority of voters whose files say something new, once they are
started with them, is followed again: change the files too, or the next change of them brings the rest back.`,
		Example: "  honua settings apply /etc/honua/appsettings.json --dry-run --exit-code\n" +
			"  honua settings apply /etc/honua/appsettings.json --reason 'poll every minute'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			wanted, err := settingsFromFile(args[0])
			if err != nil {
				return err
			}
			return s.applySettings(cmd.Context(), &pb.ApplySettingsRequest{
				RequestId: write.id(), Settings: wanted, Reason: write.reason, Actor: write.approver,
			}, dryRun, write.exitCode)
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, and change nothing")
	command.Flags().StringVar(&write.reason, "reason", "", "why, for the record")
	command.Flags().BoolVar(&write.exitCode, "exit-code", false, "exit with 2 if something changes")
	write.register(command.Flags())
	return command
}

// settingsFromFile is what a node's file says about the cluster.
func settingsFromFile(path string) (*pb.Settings, error) {
	loaded, err := config.Load(path, os.Environ())
	if err != nil {
		return nil, err
	}
	repository := loaded.GitOps.RepositoryURL
	if repository == "" {
		_, repository, err = gitsync.Place(loaded.GitOps.RepositoryPath, filepath.Join(loaded.Cluster.DataDirectory, "mirror"))
		if err != nil {
			return nil, err
		}
	}
	if repository, _, _, err = gitsync.SplitLogin(repository); err != nil { // a login is each node's own
		return nil, fmt.Errorf("GitOps.RepositoryUrl: %w", err)
	}
	found, err := clusterSettings(loaded, repository)
	if err != nil {
		return nil, err
	}
	return settingsMessage(found.value), nil
}

func settingsMessage(v *pb.SettingsValue) *pb.Settings {
	m := &pb.Settings{
		RepositoryUrl: v.GetRepositoryUrl(), PollInterval: fromMilliseconds(v.GetPollIntervalMs()), HistoryLimit: v.GetHistoryLimit(),
		DryRun: v.GetDryRun(), MaxFileBytes: v.GetMaxFileBytes(), MaxBundleBytes: v.GetMaxBundleBytes(), MaxFiles: v.GetMaxFiles(),
		FetchTimeout: fromMilliseconds(v.GetFetchTimeoutMs()), FetchMemoryBytes: v.GetFetchMemoryBytes(), Identities: v.GetIdentities(),
	}
	for _, e := range v.GetEnvironments() {
		own := &pb.EnvironmentSettings{
			Name: e.GetName(), Branch: e.GetBranch(), PolicyJson: string(e.GetPolicy().GetCanonical()),
			VerificationMode: e.GetVerification().GetMode(), VerifyEveryCommit: e.GetVerification().GetEveryCommit(),
		}
		if own.VerificationMode == "" {
			own.VerificationMode = "none"
		}
		m.Environments = append(m.Environments, own)
	}
	return m
}

func (s *session) applySettings(ctx context.Context, request *pb.ApplySettingsRequest, dryRun, exitCode bool) error {
	inForce, err := s.settingsInForce(ctx, pb.Consistency_CONSISTENCY_LINEARIZABLE)
	if err != nil {
		return err
	}
	shown := settingsApplied{}
	if shown.Changes, err = inForce.Changes(view.NewSettings(request.GetSettings())); err != nil {
		return err
	}
	if !dryRun && len(shown.Changes) > 0 {
		err := s.call(ctx, func(ctx context.Context, c *client.Client) error {
			answer, err := c.Settings().ApplySettings(ctx, request)
			shown.Applied, shown.AppliedIndex = err == nil, answer.GetAppliedIndex()
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := s.print(shown, func(w io.Writer) error { return settingsText(w, shown) }); err != nil {
		return err
	}
	if exitCode && len(shown.Changes) > 0 {
		return errPending
	}
	return nil
}

func settingsText(w io.Writer, shown settingsApplied) error {
	if len(shown.Changes) == 0 {
		_, err := fmt.Fprintln(w, "nothing changes: these settings are in force")
		return err
	}
	t := newTable(w, "KEY", "IN FORCE", "IN THE FILE")
	for _, change := range shown.Changes {
		t.row(safe(change.Key), safe(change.Before), safe(change.After))
	}
	if err := t.flush(); err != nil {
		return err
	}
	verdict := "nothing was changed: --dry-run"
	if shown.Applied {
		verdict = fmt.Sprintf("the settings are in force at index %d", shown.AppliedIndex)
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

func fromMilliseconds(ms int64) *durationpb.Duration {
	return durationpb.New(time.Duration(ms) * time.Millisecond)
}
