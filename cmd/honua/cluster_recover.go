package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/logging"
)

// recoveredView is the answer of a recovery.
type recoveredView struct {
	NodeID        string   `json:"nodeId"`
	DataDirectory string   `json:"dataDirectory"`
	ClusterID     string   `json:"clusterId"`
	LostServers   []string `json:"lostServers"`
	AppliedIndex  uint64   `json:"appliedIndex"`
	StateHash     string   `json:"stateHash"`
}

func newClusterRecoverCommand(s *session) *cobra.Command {
	var file, skip string
	var yes bool
	command := &cobra.Command{
		Use:   "recover --config FILE",
		Short: "Go on with this one node after a majority of the voters is lost for good; offline",
		Long: `Make a stopped node the only member of its cluster, with everything that its log holds. This is for the loss
of a majority that never comes back: what only the lost nodes had acknowledged is lost, what was never acknowledged
may come into force. Choose the node with the highest last index: run the command on each without --yes and compare.
The other nodes must never run again on the data directories that they have. Empty them, and they join this node.

As root it goes on as the user whom the node's files belong to, so that what it writes is the node's.

With --skip INDEX:SHA256 nothing of that is done: one entry that halts every node is passed over. The log of a
halted node names it. Do it on every node, then start them.`,
		Example: `  honua cluster recover --config /etc/honua/appsettings.json
  honua cluster recover --config /etc/honua/appsettings.json --skip 4711:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			settings, err := config.Load(file, os.Environ())
			if err != nil {
				return err
			}
			if err := actAsOwner(filepath.Join(settings.Cluster.DataDirectory, "raft.db")); err != nil {
				return err
			}
			if skip != "" {
				return s.skipEntry(settings, skip, yes)
			}
			return s.recoverCluster(settings, yes)
		},
	}
	command.Flags().StringVar(&file, "config", "", "the node's appsettings.json (required)")
	command.Flags().StringVar(&skip, "skip", "", "pass over this entry of the log instead: INDEX:SHA256")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	required(command, "config")
	return command
}

func (s *session) recoverCluster(settings *config.Config, yes bool) error {
	levels, err := logging.NewLevels("Warning", nil)
	if err != nil {
		return err
	}
	logger, err := logging.New(logging.Config{Output: s.err, Format: settings.Logging.Format, Levels: levels})
	if err != nil {
		return err
	}
	id, directory := settings.Cluster.NodeID, settings.Cluster.DataDirectory
	plan, err := cluster.PlanRecovery(id, directory, logger)
	if err != nil {
		return err
	}
	address, lost := settings.Cluster.RaftAddress, []string{}
	for _, server := range plan.Before {
		if server.ID == id {
			address = server.Address
		} else {
			lost = append(lost, server.ID)
		}
	}
	fmt.Fprintf(s.err, `Plan: %[1]s becomes the only member of cluster %[2]s.
  Data directory  %[3]s
  Last entry      index %[4]d, term %[5]d
  Members now     %[6]d
  Taken out       %[7]s
What only those had acknowledged is lost; what %[1]s has and nobody acknowledged comes into force. They must never run
again on the data directories that they have: empty them first, then they join %[1]s.
`, id, plan.ClusterID, directory, plan.LastIndex, plan.LastTerm, len(plan.Before), strings.Join(lost, ", "))
	if !yes {
		if err := s.confirm("Is a majority of the voters lost for good, and is this the node with the highest last index?"); err != nil {
			return err
		}
	}
	done, err := cluster.Recover(id, directory, address, logger)
	if err != nil {
		return err
	}
	shown := recoveredView{
		NodeID: id, DataDirectory: directory, ClusterID: done.ClusterID, LostServers: lost,
		AppliedIndex: done.AppliedIndex, StateHash: fmt.Sprintf("%x", done.StateHash),
	}
	return s.print(shown, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is the only member now, at index %d.\n"+
			"Next: start it, then empty the data directories of the others and start them: they join as learners and vote after about ten seconds.\n", id, done.AppliedIndex)
		return err
	})
}

func (s *session) skipEntry(settings *config.Config, entry string, yes bool) error {
	if !yes {
		if err := s.confirm(fmt.Sprintf("Pass over entry %s on %s? Every node has to do the same, or their states differ.", entry, settings.Cluster.NodeID)); err != nil {
			return err
		}
	}
	if err := cluster.Skip(settings.Cluster.DataDirectory, entry); err != nil {
		return err
	}
	return s.print(map[string]string{"nodeId": settings.Cluster.NodeID, "skipped": entry}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s passes over entry %s.\nNext: do the same on every other node, then start them.\n", settings.Cluster.NodeID, entry)
		return err
	})
}
