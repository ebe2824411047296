package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/buildinfo"
	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/durable"
	"github.com/honua-io/honua-gitops/internal/support"
)

func newDebugCommand(s *session) *cobra.Command {
	return newGroup("debug", "Collect what helps to find out what is wrong", newDebugBundleCommand(s))
}

const debugBundleLong = `Collect what helps to find out what is wrong into one file, a gzipped tar: from every node that answers its
version, configuration, health, checks, metrics, the newest lines of its log, stacks, files' names and modes, state files and
journal; and what the cluster says of itself. That takes the role admin; less is collected with less.

What is there holds no secrets: they are left out where they are known, and what looks like one is taken out. It does
hold names, addresses, paths, commit messages and the audit's last records. Look into it before you give it away.

A node that does not run is asked on its own machine: --config names its configuration, --log the end of its log (- reads it
from standard input). With --duration metrics and stacks are collected again at each interval, to see what grows.`

// bundleFlags say what a bundle is made of.
type bundleFlags struct {
	config, log        string
	duration, interval time.Duration
}

func newDebugBundleCommand(s *session) *cobra.Command {
	var f bundleFlags
	command := &cobra.Command{
		Use:   "bundle [FILE]",
		Short: "Write a support bundle without secrets (default honua-debug-TIME.tar.gz)",
		Long:  debugBundleLong,
		Example: `  honua debug bundle
  honua debug bundle slow.tar.gz --duration 1m --interval 10s
  journalctl -u honua -n 5000 | honua debug bundle --config /etc/honua/appsettings.json --log -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			if f.duration < 0 || f.interval <= 0 {
				return &usageError{cmd, errors.New("--duration and --interval must be positive")}
			}
			now := time.Now()
			root := "honua-debug-" + now.UTC().Format("20060102-150405")
			path := root + ".tar.gz"
			if len(args) == 1 {
				path = args[0]
			}
			return s.bundle(cmd.Context(), f, path, root, now)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.config, "config", "", "a node's appsettings.json on this machine: collect its files too")
	flags.StringVar(&f.log, "log", "", "a file with that node's log, or - for standard input")
	flags.DurationVar(&f.duration, "duration", 0, "collect metrics and stacks again for so long")
	flags.DurationVar(&f.interval, "interval", 5*time.Second, "how often, with --duration")
	return command
}

// bundle writes a support bundle and says what could not be collected.
func (s *session) bundle(ctx context.Context, f bundleFlags, path, root string, now time.Time) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: name another file", path)
	}
	addresses, err := client.ParseAddresses(s.flags.address)
	if err != nil {
		return err
	}
	var index support.Index
	err = durable.Write(path, func(file durable.File) error {
		c := &collector{session: s, flags: f, addresses: addresses, asked: map[string]*client.Client{}}
		defer c.close()
		c.archive = support.NewArchive(file, root, now, support.Index{Version: buildinfo.Get().Version, Addresses: addresses})
		if err := c.collect(ctx); err != nil {
			return err
		}
		err := c.archive.Close()
		index = c.archive.Index
		return err
	})
	if err != nil {
		return err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return s.print(bundleView{File: absolute, Index: index}, func(w io.Writer) error {
		for _, problem := range index.Problems {
			fmt.Fprintf(s.err, "not collected: %s: %s\n", safe(problem.Name), safe(problem.Message))
		}
		_, err := fmt.Fprintf(w, "%s: %d files; look into it before you give it away\n", path, len(index.Files))
		return err
	})
}

// bundleView is the answer of `debug bundle`.
type bundleView struct {
	File string `json:"file"`
	support.Index
}
