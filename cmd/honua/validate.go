package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// validation is the answer of `validate`.
type validation struct {
	Environment string        `json:"environment"`
	Valid       bool          `json:"valid"`
	Services    int           `json:"services"`
	Layers      int           `json:"layers"`
	Problems    []problemView `json:"problems"`
}

// problemView is one finding.
type problemView struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Field    string `json:"field"`
	Message  string `json:"message"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
}

func newValidateCommand(s *session) *cobra.Command {
	var environment, revision string
	command := &cobra.Command{
		Use:   "validate DIR -e ENVIRONMENT",
		Short: "Check an environment's configuration offline, all problems at once",
		Long: `Check an environment's configuration offline: every problem at once, one line each, as
file:line:column: field: message. Without --revision it reads the files as they are on disk, committed
or not. Exits with 1 if there is an error; warnings alone are no error. Data sources are not reached.`,
		Example: "  honua validate . -e production\n  honua validate . -e production --revision HEAD -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			files, rules, err := readEnvironment(cmd, args[0], revision, environment)
			if err != nil {
				return err
			}
			return s.printValidation(validate(environment, files, rules), args[0], revision)
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "the environment (required)")
	command.Flags().StringVar(&revision, "revision", "", "check this revision instead of the files on disk")
	required(command, "environment")
	return command
}

// readEnvironment reads from a revision, or from the files on disk if it is empty.
func readEnvironment(cmd *cobra.Command, dir, revision, environment string) ([]gitsync.File, []byte, error) {
	if revision == "" {
		return gitsync.ReadWorkingTree(dir, environment, gitsync.Limits{})
	}
	reading, err := gitsync.ReadRevision(cmd.Context(), dir, revision, environment, gitsync.Limits{})
	if err != nil {
		return nil, nil, err
	}
	return reading.Files, reading.Policy, nil
}

// validate parses an environment's files and the policy file beside them.
func validate(environment string, files []gitsync.File, rules []byte) validation {
	model, problems := catalog.Parse(environment, bundle(files))
	if rules != nil {
		_, more := policy.Parse(policy.File, rules)
		problems = append(problems, more...)
	}
	v := validation{Environment: environment, Valid: !catalog.HasErrors(problems)}
	if model != nil {
		v.Services, v.Layers = len(model.Services), model.LayerCount()
	}
	v.Problems = problemViews(problems)
	return v
}

func problemViews(problems []catalog.Problem) []problemView {
	views := []problemView{}
	for _, p := range problems {
		views = append(views, problemView{
			File: p.File, Line: p.Line, Column: p.Column, Field: p.Field, Message: p.Message,
			Severity: p.Severity.String(), Code: p.Code,
		})
	}
	return views
}

func bundle(files []gitsync.File) []catalog.File {
	list := make([]catalog.File, len(files))
	for i, file := range files {
		list[i] = catalog.File{Path: file.Path, Content: file.Content}
	}
	return list
}

// printValidation prints problems so that editors find them: paths are relative to where the command runs, unless they
// are those of a revision.
func (s *session) printValidation(v validation, dir, revision string) error {
	err := s.print(v, func(w io.Writer) error {
		for _, p := range v.Problems {
			position := catalog.Position{File: p.File, Line: p.Line, Column: p.Column}
			if revision == "" && p.File != "" {
				position.File = filepath.Join(dir, filepath.FromSlash(p.File))
			}
			text := catalog.Problem{Position: position, Field: p.Field, Message: p.Message}.Error()
			if p.Severity != catalog.Error.String() {
				text += " (" + p.Severity + ")"
			}
			fmt.Fprintln(w, safe(text))
		}
		if v.Valid {
			fmt.Fprintf(w, "%s is valid: %s, %s\n", v.Environment, count(v.Services, "service"), count(v.Layers, "layer"))
		}
		return nil
	})
	if err == nil && !v.Valid {
		return errSaid
	}
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
