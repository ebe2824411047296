package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// appliedView is the answer of a change of the raft configuration.
type appliedView struct {
	Node         string `json:"node"`
	AppliedIndex uint64 `json:"appliedIndex"`
}

func newClusterJoinCommand(s *session) *cobra.Command {
	var write writeFlags
	command := &cobra.Command{
		Use:   "join ADDRESS",
		Short: "Admit a running node, given by its gossip address",
		Long: `Admit a running node, given by its gossip address. A node whose Cluster.Join names a member of the
cluster joins by itself; this is for one that knows of nobody.`,
		Example: "  honua cluster join 10.0.0.4:7702",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := &pb.AddServerRequest{RequestId: write.id(), Address: args[0]}
			return s.reconfigure(cmd.Context(), args[0], "has joined", func(ctx context.Context, c *client.Client) (uint64, error) {
				answer, err := c.Cluster().AddServer(ctx, request)
				return answer.GetAppliedIndex(), err
			})
		},
	}
	write.register(command.Flags())
	return command
}

func newClusterRemoveCommand(s *session) *cobra.Command {
	var write writeFlags
	var yes bool
	command := &cobra.Command{
		Use:   "remove NODE",
		Short: "Take a node out of the cluster",
		Long: `Take a node out of the cluster, for good: it has to join again with an empty data directory.
Removing a voter changes how many nodes may fail, so it asks first.`,
		Example: "  honua cluster remove node3\n  honua cluster remove node3 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				if err := s.confirmRemoval(cmd.Context(), args[0]); err != nil {
					return err
				}
			}
			request := &pb.RemoveServerRequest{RequestId: write.id(), Id: args[0]}
			return s.reconfigure(cmd.Context(), args[0], "was removed", func(ctx context.Context, c *client.Client) (uint64, error) {
				answer, err := c.Cluster().RemoveServer(ctx, request)
				return answer.GetAppliedIndex(), err
			})
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	write.register(command.Flags())
	return command
}

// confirmRemoval asks before a voter is removed; others are removed without a question.
func (s *session) confirmRemoval(ctx context.Context, id string) error {
	status, err := s.clusterStatus(ctx, readFlags{})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(status.Servers, func(server view.Server) bool { return server.ID == id })
	if i >= 0 && !status.Servers[i].Voter {
		return nil
	}
	voters := 0
	for _, server := range status.Servers {
		if server.Voter {
			voters++
		}
	}
	left := max(voters-1, 0)
	return s.confirm(fmt.Sprintf("Remove the voter %s? %d voters are left, of which %d may fail.", id, left, max(left-1, 0)/2))
}

// confirm asks a question that only "yes" answers.
func (s *session) confirm(question string) error {
	fmt.Fprintf(s.err, "%s\nType yes to go on: ", question)
	line, err := bufio.NewReader(io.LimitReader(s.in, 1024)).ReadString('\n')
	if strings.TrimSpace(line) == "yes" {
		return nil
	}
	if err != nil {
		fmt.Fprintln(s.err)
		return fmt.Errorf("%w; --yes answers it in scripts", errNotConfirmed)
	}
	return errNotConfirmed
}

func (s *session) reconfigure(ctx context.Context, node, verb string, change func(context.Context, *client.Client) (uint64, error)) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	shown := appliedView{Node: node}
	err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
		shown.AppliedIndex, err = change(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	return s.print(shown, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s at index %d\n", node, verb, shown.AppliedIndex)
		return err
	})
}
