package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/durable"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// snapshotView is what a snapshot file says of itself.
type snapshotView struct {
	File        string            `json:"file"`
	Format      uint32            `json:"format"`
	StateFormat uint32            `json:"stateFormat"`
	ClusterID   string            `json:"clusterId"`
	ClusterName string            `json:"clusterName"`
	Epoch       uint64            `json:"epoch"`
	Index       uint64            `json:"index"`
	Term        uint64            `json:"term"`
	Time        string            `json:"time"`
	StateHash   string            `json:"stateHash"`
	Size        int64             `json:"size"`
	Records     map[string]uint64 `json:"records"`
}

func newClusterSnapshotCommand(s *session) *cobra.Command {
	return newGroup("snapshot", "Back the cluster's state up, and restore it",
		newSnapshotSaveCommand(s), newSnapshotInspectCommand(s), newSnapshotRestoreCommand(s))
}

func newSnapshotSaveCommand(s *session) *cobra.Command {
	var read readFlags
	command := &cobra.Command{
		Use:   "save FILE",
		Short: "Save the whole state to a file, checked",
		Long: `Save the whole state to a file: settings, history, approvals, audit, and the contents that are kept. The file
is written beside its place and put there when it is complete and checked. It holds no expanded secrets, but all
configuration: keep it as you keep the repository.`,
		Example: "  honua cluster snapshot save backup.snap",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			if err := s.saveSnapshot(cmd.Context(), args[0], read); err != nil {
				return err
			}
			return s.inspectSnapshot(args[0])
		},
	}
	read.register(command.Flags())
	return command
}

func (s *session) saveSnapshot(ctx context.Context, path string, read readFlags) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.flags.forOutcome())
	defer cancel()
	stream, err := c.Cluster().SaveSnapshot(ctx, &pb.SaveSnapshotRequest{Consistency: read.consistency()})
	if err != nil {
		return err
	}
	return durable.Write(path, func(file durable.File) error {
		for {
			part, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if _, err := file.Write(part.GetData()); err != nil {
				return err
			}
		}
		return checkSnapshot(file)
	})
}

// checkSnapshot reads a file back: what is kept as a backup can be restored.
func checkSnapshot(file io.ReadSeeker) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := fsm.ReadSnapshotInfo(file)
	return err
}

func newSnapshotInspectCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Check a snapshot file and show what it is of; needs no cluster",
		Example: "  honua cluster snapshot inspect backup.snap\n  honua cluster snapshot inspect backup.snap -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			return s.inspectSnapshot(args[0])
		},
	}
}

func (s *session) inspectSnapshot(path string) error {
	shown, err := readSnapshotFile(path)
	if err != nil {
		return err
	}
	return s.print(shown, func(w io.Writer) error {
		fmt.Fprintf(w, "%s is whole: %d bytes, format %d\n", path, shown.Size, shown.Format)
		pair(w, "Cluster", shown.ClusterName+" "+shown.ClusterID)
		pair(w, "Time", shown.Time)
		pair(w, "Epoch", number(shown.Epoch))
		pair(w, "Index", number(shown.Index))
		pair(w, "Hash", shown.StateHash)
		for _, kind := range slices.Sorted(maps.Keys(shown.Records)) {
			pair(w, kind, number(shown.Records[kind]))
		}
		return nil
	})
}

func readSnapshotFile(path string) (snapshotView, error) {
	file, err := os.Open(path)
	if err != nil {
		return snapshotView{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := fsm.ReadSnapshotInfo(file)
	if err != nil {
		return snapshotView{}, fmt.Errorf("%s: %w", path, err)
	}
	return snapshotView{
		File: path, Format: info.Format, StateFormat: info.StateFormat, ClusterID: info.ClusterID, ClusterName: info.ClusterName,
		Epoch: info.Epoch, Index: info.Index, Term: info.Term, Time: time.UnixMilli(info.Time).UTC().Format(time.RFC3339),
		StateHash: hex.EncodeToString(info.StateHash[:]), Size: info.Size, Records: info.Records,
	}, nil
}
