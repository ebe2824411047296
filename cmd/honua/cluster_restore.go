package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// restoreTries bounds how often a restore begins: when the leader changes while the file is on its way, what arrived
// of it is dropped, and nothing was changed.
const restoreTries = 3

// restoredView is the answer of a restore.
type restoredView struct {
	File         string `json:"file"`
	Epoch        uint64 `json:"epoch"`
	Environments uint32 `json:"environments"`
	AppliedIndex uint64 `json:"appliedIndex"`
}

func newSnapshotRestoreCommand(s *session) *cobra.Command {
	var write writeFlags
	var yes, force bool
	command := &cobra.Command{
		Use:   "restore FILE --reason WHY",
		Short: "Replace the cluster's state by a snapshot's, and activate what it served again",
		Long: `Replace the cluster's state by a snapshot's, in a cluster that runs: an empty one, or the one that made it.
Everything since the snapshot is lost, also deployments, approvals and the audit of them. A new epoch begins, and
every environment is activated again as it was, under a new index. The nodes stay those that there are.

A damaged file is refused. So is the snapshot of another cluster, unless this one never served anything, or with
--force. Git is followed again afterwards: pause first what is not to move (honua environment pause --all).`,
		Example: `  honua cluster snapshot restore backup.snap --reason "the disks were lost"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			shown, err := readSnapshotFile(args[0])
			if err != nil {
				return err
			}
			if !yes {
				question := fmt.Sprintf("Replace everything that this cluster decided since by the state of %s (cluster %s, index %d)?", shown.Time, shown.ClusterName, shown.Index)
				if err := s.confirm(question); err != nil {
					return err
				}
			}
			tries := restoreTries
			if write.requestID != "" {
				tries = 1 // what was decided under the id stays so
			}
			return s.restoreSnapshot(cmd.Context(), args[0], tries, &pb.RestoreSnapshotHeader{
				Force: force, Reason: write.reason, Actor: write.approver, RequestId: write.id(),
			})
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	command.Flags().BoolVar(&force, "force", false, "also if it is another cluster's")
	command.Flags().StringVar(&write.reason, "reason", "", "why (required)")
	required(command, "reason")
	write.register(command.Flags())
	return command
}

func (s *session) restoreSnapshot(ctx context.Context, path string, tries int, header *pb.RestoreSnapshotHeader) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it is only read
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		return err
	}
	header.Digest, header.Size = hex.EncodeToString(sum.Sum(nil)), uint64(size)
	answer, err := s.sendSnapshot(ctx, file, header)
	for ; droppedUpload(err) && tries > 1; tries-- {
		fmt.Fprintf(s.err, "the leader changed while %s was on its way: sending it again\n", path)
		header.RequestId = client.NewRequestID(time.Now())
		answer, err = s.sendSnapshot(ctx, file, header)
	}
	if err != nil {
		return err
	}
	shown := restoredView{File: path, Epoch: answer.GetEpoch(), Environments: answer.GetEnvironments(), AppliedIndex: answer.GetAppliedIndex()}
	return s.print(shown, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is restored at index %d: epoch %d, %s activated again\n", path, shown.AppliedIndex, shown.Epoch, count(int(shown.Environments), "environment"))
		return err
	})
}

// droppedUpload says whether a restore was refused because parts of its file were not there any more.
func droppedUpload(err error) bool {
	reason := client.ReasonOf(err)
	return reason == "backup_incomplete" || reason == "chunk_out_of_order"
}

// sendSnapshot sends the file from its beginning.
func (s *session) sendSnapshot(ctx context.Context, file io.ReadSeeker, header *pb.RestoreSnapshotHeader) (*pb.RestoreSnapshotResponse, error) {
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.flags.forOutcome())
	defer cancel()
	stream, err := c.Cluster().RestoreSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	message := &pb.RestoreSnapshotRequest{Header: header}
	part := make([]byte, 64<<10)
	for {
		// A refusal ends the stream early: the answer says why.
		if err := stream.Send(message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		n, err := file.Read(part)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		message = &pb.RestoreSnapshotRequest{Data: part[:n]}
	}
	return stream.CloseAndRecv()
}
