package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/config"
)

func newConfigCommand(s *session) *cobra.Command {
	return newGroup("config", "Check a node's appsettings.json", newConfigCheckCommand(s))
}

// configView is the answer of `config check`.
type configView struct {
	File     string       `json:"file"`
	Valid    bool         `json:"valid"`
	Problems []configFlaw `json:"problems"`
	Warnings []configFlaw `json:"warnings"`
}

type configFlaw struct {
	Source  string `json:"source"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

func newConfigCheckCommand(s *session) *cobra.Command {
	var git bool
	command := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a node's appsettings.json with the environment variables over it",
		Long: `Check a node's appsettings.json, with the environment variables of this shell over it, as the
server would read it: all problems at once. Then look at what it means on this machine: files that others
may read, certificates that expire, hosts that are not known, settings that are weak, clocks of nodes
that can be reached; each with its remedy. Exits with 1 if anything would keep the node from working.

With --git, ask the repository for the watched branches too, with the node's own credentials; a node that
has state serves without Git, and is not refused.`,
		Example: "  honua config check /etc/honua/appsettings.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := config.Load(args[0], os.Environ())
			shown := configView{File: args[0], Valid: err == nil, Problems: []configFlaw{}, Warnings: []configFlaw{}}
			var problems config.Problems
			switch {
			case errors.As(err, &problems):
				shown.Problems = flaws(problems)
			case err != nil:
				return err
			default:
				shown.Warnings = flaws(loaded.Warnings)
				s.examine(cmd.Context(), loaded, &shown)
			}
			if err := s.printConfig(shown); err != nil || !git {
				return err
			}
			findings, err := checkGit(cmd.Context(), loaded)
			for _, finding := range findings {
				fmt.Fprintln(s.err, safe(finding))
			}
			return err
		},
	}
	command.Flags().BoolVar(&git, "git", false, "ask the repository for the watched branches too")
	return command
}

// examine adds what is wrong or weak on this machine.
func (s *session) examine(ctx context.Context, loaded *config.Config, shown *configView) {
	d := doctor{file: shown.File, config: loaded, now: time.Now(), home: s.env("HOME")}
	d.examine(ctx)
	shown.Problems = append(shown.Problems, d.problems...)
	shown.Warnings = append(shown.Warnings, d.warnings...)
	shown.Valid = len(shown.Problems) == 0
}

func flaws(problems []config.Problem) []configFlaw {
	list := []configFlaw{}
	for _, p := range problems {
		list = append(list, configFlaw{Source: p.Source, Key: p.Key, Message: p.Message})
	}
	return list
}

func (s *session) printConfig(shown configView) error {
	err := s.print(shown, func(w io.Writer) error {
		for _, flaw := range shown.Problems {
			fmt.Fprintln(w, safe(config.Problem(flaw).String()))
		}
		for _, flaw := range shown.Warnings {
			fmt.Fprintln(w, safe(config.Problem(flaw).String())+" (warning)")
		}
		if shown.Valid {
			fmt.Fprintf(w, "%s is valid\n", shown.File)
		}
		return nil
	})
	if err == nil && !shown.Valid {
		return errSaid
	}
	return err
}
