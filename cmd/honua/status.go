package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newStatusCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use:     "status",
		Short:   "One screen: leader, nodes, environments, what awaits approval, what is wrong and what to do",
		Example: "  honua status\n  honua status --address node1:7700,node2:7700,node3:7700 -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			o, err := s.overview(cmd.Context(), read)
			if err != nil {
				return err
			}
			return s.print(o, func(w io.Writer) error { return s.printOverview(w, o) })
		},
	}
	read.register(command.Flags())
	return command
}

// overview is the answer of `status`.
type overview struct {
	Cluster          view.ClusterStatus `json:"cluster"`
	Environments     []view.Environment `json:"environments"`
	Freeze           *view.Pause        `json:"freeze"`
	AwaitingApproval []view.Deployment  `json:"awaitingApproval"`
	// Stale: there was no leader to ask, the environments are what one node knows.
	Stale bool `json:"stale"`
	// Attention is what is wrong and what to do about it.
	Attention []string `json:"attention"`
}

// overview asks for everything. Without a leader it shows what a node knows: that is when status is needed most.
func (s *session) overview(ctx context.Context, read readFlags) (overview, error) {
	cluster, err := s.clusterStatus(ctx, readFlags{stale: true})
	if err != nil {
		return overview{}, err
	}
	o := overview{Cluster: cluster, Stale: read.stale || !cluster.HasQuorum, AwaitingApproval: []view.Deployment{}}
	list, err := s.environments(ctx, readFlags{stale: o.Stale}.consistency())
	if errors.Is(err, client.ErrNoLeader) || errors.Is(err, client.ErrTimeout) {
		o.Stale = true
		list, err = s.environments(ctx, pb.Consistency_CONSISTENCY_STALE)
	}
	if err != nil {
		return overview{}, err
	}
	o.Environments, o.Freeze = list.Environments, list.Freeze
	for _, e := range o.Environments {
		if d := e.CurrentDeployment; d != nil && d.State == "AwaitingApproval" {
			o.AwaitingApproval = append(o.AwaitingApproval, *d)
		}
	}
	o.Attention = attention(o)
	return o, nil
}

func (s *session) printOverview(w io.Writer, o overview) error {
	leaderLine(w, o.Cluster)
	t := newTable(w, "NODE", "ROLE", s.paint("HEALTHY"), "GRPC", "HTTP", "SERVES")
	for _, server := range o.Cluster.Servers {
		t.row(server.ID, role(server), s.paint(yesNo(server.Healthy)), server.GRPCAddress, server.HTTPAddress, serves(server, o.Environments))
	}
	if err := t.flush(); err != nil {
		return err
	}
	newline(w)
	if err := s.environmentTable(w, o.Environments); err != nil {
		return err
	}
	if len(o.AwaitingApproval) > 0 {
		fmt.Fprintln(w, "\nAwaiting approval:")
	}
	for _, d := range o.AwaitingApproval {
		fmt.Fprintf(w, "  %s  %s  %s  risk %s, %d of %d approvals, expires %s\n    honua deployment plan -e %s · honua deployment approve %s\n",
			d.ID, view.Short(d.Commit), clip(view.FirstLine(d.Message), 50), d.Risk, len(d.Approvals), d.RequiredApprovers,
			utc(d.ApprovalExpiresAt), d.Environment, d.ID)
	}
	if len(o.Attention) > 0 {
		fmt.Fprintln(w, "\nNeeds attention:")
	}
	for _, line := range o.Attention {
		fmt.Fprintf(w, "  ! %s\n", safe(line))
	}
	return nil
}

// serves is what a node serves, "environment@commit" where its content is that of a known commit.
func serves(server view.Server, environments []view.Environment) string {
	byEnvironment := map[string]string{}
	for _, e := range environments {
		for _, served := range e.ServedBy {
			switch {
			case served.NodeID != server.ID || served.Digest == "":
			case served.Digest == e.ActiveDigest:
				byEnvironment[e.Name] = e.Name + "@" + view.Short(e.DeployedCommit)
			default:
				byEnvironment[e.Name] = fmt.Sprintf("%s@%s (behind)", e.Name, view.Short(served.Digest))
			}
		}
	}
	text := ""
	for _, name := range sortedKeys(byEnvironment) {
		if text != "" {
			text += ", "
		}
		text += byEnvironment[name]
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
