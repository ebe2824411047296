package main

import (
	"errors"
	"fmt"
	"io"
	"os"

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
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a node's appsettings.json with the environment variables over it",
		Long: `Check a node's appsettings.json, with the environment variables of this shell over it, as the
server would read it: all problems at once.`,
		Example: "  honua config check /etc/honua/appsettings.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
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
			}
			return s.printConfig(shown)
		},
	}
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
