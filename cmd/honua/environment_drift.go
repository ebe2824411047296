package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

// driftView is the answer of `environment drift`.
type driftView struct {
	Environment    string   `json:"environment"`
	Drift          bool     `json:"drift"`
	DeployedCommit string   `json:"deployedCommit"`
	LatestCommit   string   `json:"latestCommit"`
	SyncStatus     string   `json:"syncStatus"`
	Health         string   `json:"health"`
	Findings       []string `json:"findings"`
}

func newEnvironmentDriftCommand(s *session) *cobra.Command {
	var read readFlags
	var exitCode bool
	command := &cobra.Command{
		Use:   "drift ENVIRONMENT",
		Short: "Show what differs between what was decided, what is served and what Git asks for",
		Long: `Show what differs between what Git asks for, what was decided and what the nodes serve: a commit that
is not deployed, a node that serves something else or nothing, a layer whose data broke since it was
deployed. Drift is reported and never rolled back.`,
		Example: "  honua environment drift production\n  honua environment drift production --exit-code -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			answer, err := s.environment(cmd.Context(), args[0], read.consistency())
			if err != nil {
				return err
			}
			return s.printDrift(newDrift(view.NewEnvironment(answer.GetEnvironment())), exitCode)
		},
	}
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 if there is drift")
	read.register(command.Flags())
	return command
}

func newDrift(e view.Environment) driftView {
	d := driftView{
		Environment: e.Name, DeployedCommit: e.DeployedCommit, LatestCommit: e.LatestCommit,
		SyncStatus: e.SyncStatus, Health: e.Health, Findings: []string{},
	}
	if e.SyncStatus == "OutOfSync" {
		d.Findings = append(d.Findings, fmt.Sprintf("Git asks for %s, deployed is %s", view.Short(e.LatestCommit), orNothing(view.Short(e.DeployedCommit))))
	}
	for _, n := range e.ServedBy {
		switch {
		case n.ActivationIndex != e.ActivationIndex || n.Digest != e.ActiveDigest:
			d.Findings = append(d.Findings, fmt.Sprintf("node %s serves activation %d, decided is %d", n.NodeID, n.ActivationIndex, e.ActivationIndex))
		case n.Message != "":
			d.Findings = append(d.Findings, "node "+n.NodeID+": "+n.Message)
		}
	}
	d.Drift = len(d.Findings) > 0
	return d
}

func (s *session) printDrift(d driftView, exitCode bool) error {
	err := s.print(d, func(w io.Writer) error {
		if !d.Drift {
			_, err := fmt.Fprintf(w, "%s: no drift, every node serves %s\n", d.Environment, view.Short(d.DeployedCommit))
			return err
		}
		fmt.Fprintf(w, "%s: %s\n", d.Environment, count(len(d.Findings), "difference"))
		for _, finding := range d.Findings {
			fmt.Fprintf(w, "  - %s\n", safe(finding))
		}
		return nil
	})
	if err == nil && exitCode && d.Drift {
		return errPending
	}
	return err
}
