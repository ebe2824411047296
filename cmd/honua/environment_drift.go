package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
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
	// Corrected was put right while looking, and is no drift any more.
	Corrected []string         `json:"corrected"`
	Nodes     []view.NodeDrift `json:"nodes"`
}

func newEnvironmentDriftCommand(s *session) *cobra.Command {
	var exitCode bool
	command := &cobra.Command{
		Use:   "drift ENVIRONMENT",
		Short: "Have every node compare what it serves with what was decided and what Git asks for",
		Long: `Have every node compare now what it serves, byte by byte from its disk up, its state files and its
live data sources with what was decided, and show what differs from that and from what Git asks for: a
commit that is not deployed, a node that serves something else or nothing, a layer whose data broke since
it was deployed. What a node can put right, it does: a file that was edited, a stored content that was
damaged, a catalog that is not what its content says. The rest is reported and never rolled back.`,
		Example: "  honua environment drift production\n  honua environment drift production --exit-code -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			var answer *pb.CheckDriftResponse
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) (err error) {
				answer, err = c.Environments().CheckDrift(ctx, &pb.CheckDriftRequest{Environment: args[0]})
				return err
			})
			if err != nil {
				return err
			}
			return s.printDrift(newDrift(view.NewEnvironment(answer.GetEnvironment()), view.NewNodeDrifts(answer.GetNodes())), exitCode)
		},
	}
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 if there is drift")
	return command
}

func newDrift(e view.Environment, nodes []view.NodeDrift) driftView {
	d := driftView{
		Environment: e.Name, DeployedCommit: e.DeployedCommit, LatestCommit: e.LatestCommit,
		SyncStatus: e.SyncStatus, Health: e.Health, Findings: []string{}, Corrected: []string{}, Nodes: nodes,
	}
	if e.SyncStatus == "OutOfSync" {
		d.found("Git asks for %s, deployed is %s%s", view.Short(e.LatestCommit), orNothing(view.Short(e.DeployedCommit)), whyOutOfSync(e))
	}
	for _, n := range nodes {
		d.node(e, n)
	}
	d.Drift = len(d.Findings) > 0
	return d
}

func (d *driftView) found(format string, args ...any) {
	d.Findings = append(d.Findings, fmt.Sprintf(format, args...))
}

func (d *driftView) node(e view.Environment, n view.NodeDrift) {
	switch {
	case n.Error != "":
		d.found("node %s does not say: %s", n.NodeID, n.Error)
		return
	case n.ActivationIndex != e.ActivationIndex:
		d.found("node %s serves activation %d, decided is %d", n.NodeID, n.ActivationIndex, e.ActivationIndex)
	case n.Digest != e.ActiveDigest && n.Digest != "":
		d.found("node %s serves digest %s, decided is %s", n.NodeID, view.Short(n.Digest), view.Short(e.ActiveDigest))
	}
	for _, f := range n.Findings {
		text := fmt.Sprintf("node %s: %s %s: %s", n.NodeID, driftObject(f.Kind), f.Object, f.Message)
		if f.Corrected {
			d.Corrected = append(d.Corrected, text)
			continue
		}
		d.Findings = append(d.Findings, text)
	}
}

// driftObject is what a kind of drift is found in.
func driftObject(kind string) string {
	if kind == "source" {
		return "layer"
	}
	return kind
}

// whyOutOfSync says what keeps Git's newest commit from being deployed, where that is known.
func whyOutOfSync(e view.Environment) string {
	if e.Pause != nil {
		return ": paused" + pauseText(*e.Pause)
	}
	for _, hold := range e.Holds {
		if hold.Commit == e.LatestCommit {
			return ": held: " + hold.Reason
		}
	}
	if d := e.CurrentDeployment; d != nil && d.Commit == e.LatestCommit {
		return fmt.Sprintf(": %s is %s%s", d.ID, d.State, prefixed(": ", d.ErrorMessage))
	}
	return ""
}

// prefixed is a text behind a prefix; empty if there is none.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func (s *session) printDrift(d driftView, exitCode bool) error {
	err := s.print(d, func(w io.Writer) error {
		if !d.Drift {
			fmt.Fprintf(w, "%s: no drift, every node serves %s\n", d.Environment, view.Short(d.DeployedCommit))
		} else {
			fmt.Fprintf(w, "%s: %s\n", d.Environment, count(len(d.Findings), "difference"))
		}
		for _, finding := range d.Findings {
			fmt.Fprintf(w, "  - %s\n", safe(finding))
		}
		for _, corrected := range d.Corrected {
			fmt.Fprintf(w, "  - put right: %s\n", safe(corrected))
		}
		return nil
	})
	if err == nil && exitCode && d.Drift {
		return errPending
	}
	return err
}
