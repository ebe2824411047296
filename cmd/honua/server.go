package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/buildinfo"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/logging"
)

const serverLong = `Runs one node: it takes part in its cluster, serves the layers of the active
configuration over OGC API Features, and answers the gRPC admin API.

The configuration is an appsettings.json; any value can be overridden by an environment variable
with double underscores, such as GitOps__Watcher__PollIntervalSeconds=60. Check it beforehand with
honua config check FILE.`

func newServerCommand(s *session) *cobra.Command {
	var file string
	command := &cobra.Command{
		Use: "server --config FILE", Short: "Run one node", Long: serverLong, GroupID: groupRun,
		Args:    cobra.NoArgs,
		Example: "  honua server --config /etc/honua/appsettings.Production.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), s, file)
		},
	}
	command.Flags().StringVar(&file, "config", "", "the node's appsettings.json")
	_ = command.MarkFlagRequired("config") // the flag was defined one line before
	return command
}

// serve runs a node until the context ends.
func serve(ctx context.Context, s *session, file string) error {
	defer reserveHeap()()
	settings, err := config.Load(file, os.Environ())
	if err != nil {
		return err
	}
	levels, err := logging.NewLevels(settings.Serilog.MinimumLevel.Default, settings.Serilog.MinimumLevel.Override)
	if err != nil {
		return err
	}
	from := origin{file: file, recent: logging.NewRecent(recentBytes), started: time.Now()}
	logger, err := logging.New(logging.Config{Output: io.MultiWriter(from.recent, s.err), Format: settings.Logging.Format, Levels: levels, Time: os.Getenv("JOURNAL_STREAM") == ""})
	if err != nil {
		return err
	}
	hangups := newReloading(file, levels, logger)
	build := buildinfo.Get()
	logger.InfoContext(ctx, "Honua GitOps starting", "version", build.Version, "commit", build.Commit, "node", settings.Cluster.NodeID)
	for _, warning := range settings.Warnings {
		logger.WarnContext(ctx, warning.String())
	}
	a, err := newApp(ctx, settings, logger, from)
	if err != nil {
		return fmt.Errorf("start node %s: %w", settings.Cluster.NodeID, err)
	}
	if err := supervised(ctx, a, hangups); err != nil {
		logger.ErrorContext(ctx, "the node stopped", "error", err)
		return err
	}
	logger.InfoContext(ctx, "the node stopped in order")
	return nil
}

// supervised runs the node, and what reports to systemd and reads the configuration again beside it.
func supervised(ctx context.Context, a *app, hangups *reloading) error {
	supervision, err := newSupervision(a, a.component("systemd"))
	if err != nil {
		return fmt.Errorf("WATCHDOG_USEC: %w", err)
	}
	beside, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { supervision.run(beside) })
	group.Go(func() { hangups.run(beside, supervision.reload) })
	err = a.run(ctx)
	stop()
	group.Wait()
	return err
}
