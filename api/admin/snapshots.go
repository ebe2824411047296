package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// snapshotPart is how much of a snapshot one message carries, bytes.
const snapshotPart = 64 << 10

// SaveSnapshot sends the whole state as a snapshot file, in parts.
func (s *clusters) SaveSnapshot(r *pb.SaveSnapshotRequest, out grpc.ServerStreamingServer[pb.SaveSnapshotResponse]) error {
	if err := s.permit(out.Context(), "", Admin); err != nil {
		return err
	}
	state, err := s.read(out.Context(), r.GetConsistency())
	if err != nil {
		return err
	}
	parts := bufio.NewWriterSize(partWriter{out}, snapshotPart)
	if err := fsm.WriteSnapshot(parts, state); err != nil {
		return err
	}
	if err := parts.Flush(); err != nil {
		return err
	}
	s.Logger.Info("snapshot sent", "index", state.Index(), "identity", identityOf(out.Context()).Name)
	return nil
}

// partWriter sends what is written to it.
type partWriter struct {
	to grpc.ServerStreamingServer[pb.SaveSnapshotResponse]
}

// Write implements io.Writer.
func (w partWriter) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		part := p[sent:min(len(p), sent+snapshotPart)]
		if err := w.to.Send(&pb.SaveSnapshotResponse{Data: part}); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return len(p), nil
}

// RestoreSnapshot replaces the state by a snapshot file's. The file goes into
// the log in parts; one more entry restores it, on every node or on none.
func (s *clusters) RestoreSnapshot(in grpc.ClientStreamingServer[pb.RestoreSnapshotRequest, pb.RestoreSnapshotResponse]) error {
	ctx := in.Context()
	if err := s.permit(ctx, "", Admin); err != nil {
		return err
	}
	first, err := in.Recv()
	if err != nil {
		return err
	}
	h := first.GetHeader()
	if err := checkRestore(h); err != nil {
		return err
	}
	id, _ := s.requestID(ctx, h.GetRequestId())
	if err := s.bring(ctx, id, h, &partReader{from: in, left: first.GetData()}); err != nil {
		return err
	}
	result, state, err := s.execute(ctx, change{
		requestID: id, actor: h.GetActor(), least: Admin,
		payload: &pb.Payload{Command: &pb.Payload_RestoreBackup{RestoreBackup: &pb.RestoreBackup{
			UploadId: id, Digest: h.GetDigest(), Force: h.GetForce(), Reason: h.GetReason(),
		}}},
	})
	if err != nil {
		return err
	}
	s.Logger.Warn("the state was restored from a snapshot", "index", result.Index, "epoch", state.Meta().Epoch, "identity", identityOf(ctx).Name)
	return in.SendAndClose(&pb.RestoreSnapshotResponse{
		AppliedIndex: state.Index(), Epoch: state.Meta().Epoch, Environments: uint32(result.Value),
	})
}

func checkRestore(h *pb.RestoreSnapshotHeader) error {
	var c check
	c.requestID(h.GetRequestId())
	c.reason(h.GetReason())
	c.optionalName("actor", h.GetActor())
	if len(h.GetDigest()) != 64 {
		c.add("digest", "is not a SHA-256 in hexadecimal")
	}
	if h.GetSize() == 0 {
		c.add("size", "is required")
	}
	return c.err()
}

// bring replicates the file. Each part has a request id of its own, so that one
// whose outcome is unknown is tried again.
func (s *clusters) bring(ctx context.Context, upload string, h *pb.RestoreSnapshotHeader, file io.Reader) error {
	total := uint32((h.GetSize() + fsm.MaxChunk - 1) / fsm.MaxChunk)
	for sequence := range total {
		part := make([]byte, min(fsm.MaxChunk, h.GetSize()-uint64(sequence)*fsm.MaxChunk))
		if _, err := io.ReadFull(file, part); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return &problem{failure: Invalid, reason: "cut_off", message: fmt.Sprintf("the file ended in part %d of %d: nothing was changed", sequence+1, total)}
		} else if err != nil {
			return err
		}
		_, _, err := s.execute(ctx, change{
			requestID: newRequestID(s.Now()), least: Admin,
			payload: &pb.Payload{Command: &pb.Payload_StoreBackup{StoreBackup: &pb.StoreBackup{
				UploadId: upload, Digest: h.GetDigest(), Sequence: sequence, Total: total, Data: part,
			}}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// partReader reads the data of a stream's messages.
type partReader struct {
	from grpc.ClientStreamingServer[pb.RestoreSnapshotRequest, pb.RestoreSnapshotResponse]
	left []byte
}

// Read implements io.Reader.
func (r *partReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		m, err := r.from.Recv()
		if err != nil {
			return 0, err
		}
		r.left = m.GetData()
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}
