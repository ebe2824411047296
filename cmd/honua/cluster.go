package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newClusterCommand(s *session) *cobra.Command {
	return newGroup("cluster", "Look at and change the group of nodes itself",
		newClusterStatusCommand(s),
		newClusterMembersCommand(s),
		newClusterJoinCommand(s),
		newClusterRemoveCommand(s),
		newClusterTransferCommand(s),
		newRollingRestartCommand(s),
		newGossipKeyCommand(s),
		newClusterSnapshotCommand(s),
		newClusterRecoverCommand(s),
	)
}

func newClusterStatusCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use:     "status",
		Short:   "Show the nodes of the raft configuration; needs no quorum",
		Example: "  honua cluster status\n  honua cluster status -o json | jq -r .leaderId",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			status, err := s.clusterStatus(cmd.Context(), read)
			if errors.Is(err, client.ErrNoLeader) || errors.Is(err, client.ErrTimeout) {
				// That is when it is needed most: what one node knows.
				status, err = s.clusterStatus(cmd.Context(), readFlags{stale: true})
			}
			if err != nil {
				return err
			}
			return s.print(status, func(w io.Writer) error {
				leaderLine(w, status)
				if err := s.serverTable(w, status.Servers); err != nil {
					return err
				}
				// What is wrong and what to do about it, as in `honua status`.
				for _, line := range attention(s.around(cmd.Context(), status)) {
					fmt.Fprintf(w, "! %s\n", safe(line))
				}
				return nil
			})
		},
	}
	read.register(command.Flags())
	return command
}

// around is a status with what else an operator has to know of; where that is not to be had, the status alone.
func (s *session) around(ctx context.Context, status view.ClusterStatus) overview {
	list, err := s.environments(ctx, pb.Consistency_CONSISTENCY_STALE)
	if err != nil {
		return overview{Cluster: status}
	}
	return overview{Cluster: status, Environments: list.Environments, Freeze: list.Freeze}
}

func (s *session) clusterStatus(ctx context.Context, read readFlags) (status view.ClusterStatus, err error) {
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Cluster().GetStatus(ctx, &pb.GetStatusRequest{Consistency: read.consistency()})
		status = view.NewClusterStatus(answer)
		return err
	})
	return status, err
}

func leaderLine(w io.Writer, status view.ClusterStatus) {
	switch {
	case !status.Founded():
		fmt.Fprintf(w, "NO CLUSTER YET: %s belongs to none\n\n", status.NodeID)
	case !status.Led():
		fmt.Fprintf(w, "NO LEADER: %d voters have to reach each other; nodes serve what they have\n\n", status.Quorum)
	default:
		fmt.Fprintf(w, "Leader %s, term %d, quorum %d, format %d, answered by %s at index %d\n\n",
			status.LeaderID, status.Term, status.Quorum, status.Format, status.NodeID, status.AppliedIndex)
	}
}

func (s *session) serverTable(w io.Writer, servers []view.Server) error {
	const narrow = 8
	t := newTable(w, s.columns(narrow, "NODE", "ROLE", s.paint("HEALTHY"), "GRPC", "HTTP", "APPLIED", "VERSION", "FORMAT",
		"RAFT", "GOSSIP", "INCARNATION", "STATE HASH")...)
	for _, server := range servers {
		t.row(s.columns(narrow, server.ID, role(server), s.paint(yesNo(server.Healthy)), server.GRPCAddress, server.HTTPAddress,
			number(server.AppliedIndex), server.Version, number(uint64(server.Format)),
			server.RaftAddress, server.GossipAddress, server.Incarnation, view.Short(server.StateHash))...)
	}
	return t.flush()
}

func role(server view.Server) string {
	switch {
	case server.Leader:
		return "leader"
	case server.Voter:
		return "voter"
	}
	return "learner"
}

func newClusterMembersCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "members",
		Short:   "List the nodes that gossip sees",
		Example: "  honua cluster members",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			list, err := s.members(cmd.Context())
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error {
				t := newTable(w, "NODE", s.paint("STATUS"), "ADDRESS", "GRPC", "HTTP", "VOTER", "VERSION")
				for _, m := range list.Members {
					t.row(m.ID, s.paint(m.Status), m.Address, m.GRPCAddress, m.HTTPAddress, yesNo(m.Voter), m.Version)
				}
				return t.flush()
			})
		},
	}
}

func (s *session) members(ctx context.Context) (list view.MemberList, err error) {
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Cluster().ListMembers(ctx, &pb.ListMembersRequest{})
		list = view.NewMemberList(answer.GetMembers())
		return err
	})
	return list, err
}

func newClusterTransferCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "transfer-leader [NODE]",
		Short:   "Hand leadership to a node, or to the most up-to-date one",
		Example: "  honua cluster transfer-leader node2",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			request := &pb.TransferLeadershipRequest{}
			if len(args) == 1 {
				request.Id = args[0]
			}
			var answer *pb.TransferLeadershipResponse
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) (err error) {
				answer, err = c.Cluster().TransferLeadership(ctx, request)
				return err
			})
			if err != nil {
				return err
			}
			shown := struct {
				LeaderID string `json:"leaderId"`
				Term     uint64 `json:"term"`
			}{answer.GetLeaderId(), answer.GetTerm()}
			return s.print(shown, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s leads in term %d\n", shown.LeaderID, shown.Term)
				return err
			})
		},
	}
}

// errNotConfirmed: the operator did not say yes.
var errNotConfirmed = errors.New("not done: it was not confirmed")
