package leader

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func nothing() {}

// proposal proposes. A refusal means that the state moved on: the next look
// decides anew.
func (t *tenure) proposal(ctx context.Context, p Proposal) func() {
	result, err := t.Proposer.Propose(ctx, t.term, p.Payload)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		t.Logger.DebugContext(ctx, msgProposal, "decision", p.Key, "error", err)
		return nil
	}
	poll := p.Payload.GetObservePoll()
	if poll == nil {
		return nothing
	}
	return func() {
		if p := t.polls[poll.GetBranch()]; p.Generation == poll.GetGeneration() && p.NextPoll == poll.GetNextPollMs() {
			delete(t.polls, poll.GetBranch())
		}
	}
}

// upload puts a candidate's content into the replicated state, in chunks that
// raft can bear. A content that the state refuses fails its candidate.
func (t *tenure) upload(ctx context.Context, c *Candidate) func() {
	compressed := bundle.Compress(c.Encoded)
	id := uploadID()
	total := (len(compressed) + fsm.MaxChunk - 1) / fsm.MaxChunk
	for i := range total {
		data := compressed[i*fsm.MaxChunk : min((i+1)*fsm.MaxChunk, len(compressed))]
		result, err := t.Proposer.Propose(ctx, t.term, &pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
			UploadId: id, Digest: c.Digest, Sequence: uint32(i), Total: uint32(total),
			RawSize: int64(len(c.Encoded)), Data: data,
		}}})
		if err != nil {
			return nil
		}
		if refusal := result.Refusal; refusal != nil {
			return t.uploadRefused(ctx, c, refusal)
		}
	}
	return nothing
}

func (t *tenure) uploadRefused(ctx context.Context, c *Candidate, refusal *fsm.Refusal) func() {
	t.Logger.ErrorContext(ctx, msgUploadRefused, "environment", c.Environment, "commit", c.Commit, "error", refusal)
	if refusal.Class != fsm.ClassExhausted && refusal.Class != fsm.ClassInvalid {
		return nil
	}
	return func() {
		failed := *c
		failed.Encoded, failed.Problems, failed.ReasonCode = nil, []string{refusal.Message}, refusal.Reason
		t.candidates[c.Environment] = &failed
	}
}

// uploadID tells this upload from every other one.
func uploadID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(id[:])
}

var errUnanswered = errors.New("the node gave no answer")
