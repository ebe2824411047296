package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newDeploymentShowCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one deployment: its state, nodes, approvals, errors and history",
		Example: "  honua deployment show production-20261121-143022",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			found, err := s.deployment(cmd.Context(), args[0], read.consistency())
			if err != nil {
				return err
			}
			d := view.NewDeployment(found)
			return s.print(d, func(w io.Writer) error {
				s.deploymentDetails(w, d)
				return nil
			})
		},
	}
	read.register(command.Flags())
	return command
}

func (s *session) deployment(ctx context.Context, id string, consistency pb.Consistency) (found *pb.Deployment, err error) {
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Deployments().GetDeployment(ctx, &pb.GetDeploymentRequest{Id: id, Consistency: consistency})
		found = answer.GetDeployment()
		return err
	})
	return found, err
}

// deploymentSummary prints what a deployment is and where it stands.
func (s *session) deploymentSummary(w io.Writer, d view.Deployment) {
	state := d.State
	if d.Phase != "" {
		state += " (" + d.Phase + ")"
	}
	fmt.Fprintf(w, "%s  %s\n", d.ID, strings.Replace(state, d.State, s.paint(d.State), 1))
	pair(w, "Commit", view.Short(d.Commit)+"  "+view.FirstLine(d.Message))
	pair(w, "Author", d.Author)
}

func (s *session) deploymentDetails(w io.Writer, d view.Deployment) {
	s.deploymentSummary(w, d)
	pair(w, "Environment", d.Environment)
	pair(w, "Branch", d.Branch)
	pair(w, "Digest", d.Digest)
	pair(w, "Health", d.Health)
	pair(w, "Sync", d.SyncStatus)
	pair(w, "Risk", d.Risk)
	pair(w, "Initiated by", d.InitiatedBy)
	pair(w, "Started", utc(d.StartedAt))
	pair(w, "Completed", utc(d.CompletedAt))
	if d.ActivationIndex > 0 {
		pair(w, "Activation", number(d.ActivationIndex))
	}
	pair(w, "Waits for", safe(d.WaitingFor))
	pair(w, "Superseded by", d.SupersededBy)
	pair(w, "Rolled back to", d.RolledBackTo)
	signature(w, d)
	rewritten(w, d)
	approvals(w, d)
	failure(w, d)
	if len(d.Nodes) > 0 {
		newline(w)
		nodeTable(w, d)
		newline(w)
	}
	s.transitions(w, d)
}

// signature says who signed, or what is wrong with it, and whether everybody is known who contributed.
func signature(w io.Writer, d view.Deployment) {
	if s := d.Signature; s != nil {
		pair(w, "Signature", strings.TrimSpace(s.Status+"  "+s.Signer+"  "+s.Key))
		pair(w, "Because", s.Detail)
	}
	if d.ContributorsUnknown {
		pair(w, "Contributors", "not all known: the history is longer than what is read")
	}
}

// rewritten says what a rewritten branch asks for, instead of what, and what it lost.
func rewritten(w io.Writer, d view.Deployment) {
	if !d.Rewritten {
		return
	}
	pair(w, "Rewritten", "the branch went from "+d.PreviousCommit+" to "+d.Commit)
	for _, lost := range d.RewrittenAway {
		pair(w, "Lost", lost)
	}
}

func approvals(w io.Writer, d view.Deployment) {
	if d.RequiredApprovers > 0 {
		pair(w, "Approvals", fmt.Sprintf("%d of %d  %s", len(d.Approvals), d.RequiredApprovers, strings.Join(d.ApprovalReasons, ", ")))
	}
	for _, a := range d.Approvals {
		pair(w, "Approved by", strings.TrimSpace(a.Approver+"  "+utc(a.At)+"  "+a.Comment))
	}
	if d.State == "AwaitingApproval" {
		pair(w, "Expires", utc(d.ApprovalExpiresAt))
		pair(w, "Next", "honua deployment approve "+d.ID)
	}
}

func failure(w io.Writer, d view.Deployment) {
	pair(w, "Reason", d.ReasonCode)
	pair(w, "Error", d.ErrorMessage)
	for _, problem := range d.Problems {
		fmt.Fprintf(w, "  %s\n", safe(problem))
	}
}

func nodeTable(w io.Writer, d view.Deployment) {
	t := newTable(w, "NODE", "STAGED", "VERIFIED", "SERVES", "NOTE")
	for _, n := range d.Nodes {
		note := strings.Join(n.Problems, "; ")
		switch {
		case n.Rejected:
			note = "rejected: " + note
		case n.Unavailable:
			note = strings.TrimSuffix("unavailable: "+note, ": ")
		case !n.Participant:
			note = strings.TrimSuffix("no participant: "+note, ": ")
		}
		serves := ""
		if n.ServedIndex > 0 {
			serves = number(n.ServedIndex)
		}
		t.row(n.NodeID, yesNo(n.Staged), yesNo(n.Verified), serves, safe(note))
	}
	// What cannot be written here cannot be written to the end of the page either, where it is reported.
	_ = t.flush()
}

// transitions prints a deployment's history, the oldest step first.
func (s *session) transitions(w io.Writer, d view.Deployment) {
	if len(d.StateHistory) == 0 {
		return
	}
	fmt.Fprintln(w, "History:")
	for _, step := range d.StateHistory {
		to := s.paint(step.To)
		if step.Phase != "" {
			to += " (" + step.Phase + ")"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %s  %s  %s", utc(step.Timestamp), to, safe(step.Message)), " "))
	}
}
