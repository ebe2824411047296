package leader

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"iter"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func nothing() {}

// proposal proposes. A refusal means that the state moved on: the next look
// decides anew.
func (t *tenure) proposal(ctx context.Context, key string, payload *pb.Payload) func() {
	result, err := t.traced(ctx, payload)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		t.Logger.DebugContext(ctx, msgProposal, "decision", key, "error", err)
		return nil
	}
	return func() { t.desk.Executed(payload) }
}

// Chunks are the commands that upload a candidate's content, compressed
// already, in parts of at most size bytes.
func Chunks(c *Candidate, id string, compressed []byte, size int) iter.Seq[*pb.Payload] {
	total := (len(compressed) + size - 1) / size
	return func(yield func(*pb.Payload) bool) {
		for i := range total {
			if !yield(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
				UploadId: id, Digest: c.Digest, Sequence: uint32(i), Total: uint32(total),
				RawSize: int64(len(c.Encoded)), Data: compressed[i*size : min((i+1)*size, len(compressed))],
			}}}) {
				return
			}
		}
	}
}

// upload puts a candidate's content into the replicated state, in chunks that
// raft can bear. A content that the state refuses fails its candidate.
func (t *tenure) upload(ctx context.Context, c *Candidate) func() {
	ctx, span := t.span(ctx, spanUpload, c.Environment, c.Commit)
	defer span.End()
	for chunk := range Chunks(c, uploadID(), t.compressor().Compress(c.Encoded), fsm.MaxChunk) {
		result, err := t.Proposer.Propose(ctx, t.term, chunk)
		if err != nil {
			return nil
		}
		if refusal := result.Refusal; refusal != nil {
			t.Logger.ErrorContext(ctx, msgUploadRefused, "environment", c.Environment, "commit", c.Commit, "error", refusal)
			return t.uploadRefused(c, refusal)
		}
	}
	return nothing
}

func (t *tenure) uploadRefused(c *Candidate, refusal *fsm.Refusal) func() {
	if !Faulty(refusal) {
		return nil
	}
	return func() { t.desk.Refused(c, refusal) }
}

// uploadID tells this upload from every other one.
func uploadID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(id[:])
}

var errUnanswered = errors.New("the node gave no answer")
