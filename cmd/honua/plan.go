package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

func newPlanCommand(s *session) *cobra.Command {
	var environment, from, to string
	var exitCode bool
	command := &cobra.Command{
		Use:   "plan DIR --from REV [--to REV] -e ENVIRONMENT",
		Short: "Show what a change of the configuration means, offline",
		Long: `Show what changes between two revisions of a configuration repository: layers, services, data
sources and settings, what breaks clients, and the risk. For pull requests: -o markdown.
Revisions are what git understands: branches, tags, HEAD~2, commits.`,
		Example: `  honua plan . --from origin/main -e production
  honua plan . --from v1.2 --to v1.3 -e production -o markdown --exit-code`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(formatMarkdown); err != nil {
				return err
			}
			before, err := s.revision(cmd.Context(), args[0], from, environment)
			if err != nil {
				return err
			}
			after, err := s.revision(cmd.Context(), args[0], to, environment)
			if err != nil {
				return err
			}
			plan := catalog.Diff(before.model, after.model)
			plan.Environment, plan.FromCommit, plan.ToCommit = environment, before.commit, after.commit
			if !bytes.Equal(before.policy, after.policy) {
				plan.PolicyChanged(environment, policy.File)
			}
			return s.printPlan(plan, exitCode)
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "the environment (required)")
	command.Flags().StringVar(&from, "from", "", "the revision to compare with (required)")
	command.Flags().StringVar(&to, "to", "HEAD", "the revision that is asked for")
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 if something changes")
	required(command, "environment")
	required(command, "from")
	return command
}

// revision is what an environment means at a commit; no model if it has no files there.
type revision struct {
	commit string
	model  *catalog.Model
	// policy is the environment's normalised one; nil if the repository has none for it.
	policy []byte
}

// revision reads and parses an environment. What is wrong with it is printed, all of it, and ends the command.
func (s *session) revision(ctx context.Context, dir, name, environment string) (revision, error) {
	reading, err := gitsync.ReadRevision(ctx, dir, name, environment, gitsync.Limits{})
	if err != nil {
		return revision{}, err
	}
	found := revision{commit: reading.Commit.SHA}
	if reading.NoEnvironment {
		return found, nil
	}
	model, problems := catalog.Parse(environment, bundle(reading.Files))
	rules, more := normalisedPolicy(environment, reading.Policy)
	problems = append(problems, more...)
	if catalog.HasErrors(problems) {
		fmt.Fprintf(s.err, "Error: %s is not valid at %s:\n", environment, name)
		for _, problem := range problems {
			if problem.Severity == catalog.Error {
				fmt.Fprintf(s.err, "  %s\n", safe(problem.Error()))
			}
		}
		return revision{}, errSaid
	}
	found.model, found.policy = model, rules
	return found, nil
}

// normalisedPolicy is what a policy file says about an environment; nil if nothing.
func normalisedPolicy(environment string, file []byte) ([]byte, []catalog.Problem) {
	if file == nil {
		return nil, nil
	}
	document, problems := policy.Parse(policy.File, file)
	if document == nil || document.For(environment) == nil {
		return nil, problems
	}
	at := catalog.Position{File: policy.File, Line: 1, Column: 1}
	resolved, err := policy.Resolve(environment, document.For(environment), nil)
	if err != nil {
		return nil, append(problems, catalog.Problem{Position: at, Message: err.Error(), Severity: catalog.Error})
	}
	normalised, err := resolved.Normalise()
	if err != nil {
		return nil, append(problems, catalog.Problem{Position: at, Message: err.Error(), Severity: catalog.Error})
	}
	return normalised, problems
}
