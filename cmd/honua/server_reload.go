package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/logging"
)

// reloading reads a node's configuration again on SIGHUP and takes the log
// levels from it. Certificates are read again by themselves; everything else
// needs a restart.
type reloading struct {
	file    string
	levels  *logging.Levels
	logger  *slog.Logger
	hangups chan os.Signal
}

// newReloading catches SIGHUP from now on: before, it would end the process.
func newReloading(file string, levels *logging.Levels, logger *slog.Logger) *reloading {
	r := &reloading{file: file, levels: levels, logger: logger, hangups: make(chan os.Signal, 1)}
	signal.Notify(r.hangups, syscall.SIGHUP)
	return r
}

// run handles signals until the context ends.
func (r *reloading) run(ctx context.Context, around func(ctx context.Context, work func())) {
	defer signal.Stop(r.hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			around(ctx, func() { r.reload(ctx) })
		}
	}
}

func (r *reloading) reload(ctx context.Context) {
	settings, err := config.Load(r.file, os.Environ())
	if err == nil {
		err = r.levels.Set(settings.Serilog.MinimumLevel.Default, settings.Serilog.MinimumLevel.Override)
	}
	if err != nil {
		r.logger.ErrorContext(ctx, "the configuration was not read again; the log levels stay as they are", "file", r.file, "error", err)
		return
	}
	r.logger.InfoContext(ctx, "log levels were read again; anything else in the file needs a restart",
		"default", settings.Serilog.MinimumLevel.Default, "overrides", len(settings.Serilog.MinimumLevel.Override))
}
