package admin

import (
	"context"
	"fmt"
	"iter"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// audits is the AuditService.
type audits struct {
	pb.UnimplementedAuditServiceServer
	*core
}

// ListAuditRecords returns the newest first, or the oldest first. An export
// that repeats its last token gets the last page again, with what came since.
func (s *audits) ListAuditRecords(ctx context.Context, r *pb.ListAuditRecordsRequest) (*pb.ListAuditRecordsResponse, error) {
	var c check
	c.optionalName("environment", r.GetEnvironment())
	if err := c.err(); err != nil {
		return nil, err
	}
	visible, err := s.mayRead(ctx, r.GetEnvironment())
	if err != nil {
		return nil, err
	}
	list := []string{"audit", r.GetEnvironment(), fmt.Sprint(r.GetAscending())}
	after, err := position(r.GetPageToken(), 0, list...)
	if err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	records, err := auditFrom(state, after, r.GetAscending())
	if err != nil {
		return nil, err
	}
	messages, last, more := page(visibleOnly(auditOf(records, r.GetEnvironment()), func(r *fsm.AuditRecord) string { return r.Environment }, visible), pageSize(r.GetPageSize()), auditMessage)
	answer := &pb.ListAuditRecordsResponse{Records: messages, AppliedIndex: state.Index()}
	if more {
		answer.NextPageToken = pageToken(last.Sequence, list...)
	}
	return answer, nil
}

// auditFrom yields the records after a sequence in the order of reading; 0
// begins at the end from which is read.
func auditFrom(state *fsm.State, after uint64, ascending bool) (iter.Seq[*fsm.AuditRecord], error) {
	switch {
	case !ascending && after == 0:
		return state.AuditBack(^uint64(0)), nil
	case !ascending:
		return state.AuditBack(after - 1), nil
	}
	if first := state.FirstAudit(); after > 0 && after+1 < first {
		return nil, &problem{
			failure: OutOfRange, reason: "audit_cut",
			message: fmt.Sprintf("the records %d to %d are not kept any more: begin without a token", after+1, first-1),
		}
	}
	return state.Audit(after + 1), nil
}

func auditOf(records iter.Seq[*fsm.AuditRecord], environment string) iter.Seq[*fsm.AuditRecord] {
	if environment == "" {
		return records
	}
	return func(yield func(*fsm.AuditRecord) bool) {
		for r := range records {
			if r.Environment == environment && !yield(r) {
				return
			}
		}
	}
}

// VerifyAuditChain recomputes the chain on this node (I16).
func (s *audits) VerifyAuditChain(context.Context, *pb.VerifyAuditChainRequest) (*pb.VerifyAuditChainResponse, error) {
	found := fsm.VerifyAudit(s.Store.State())
	if !found.Intact {
		s.Logger.Error("audit chain is broken", "sequence", found.BrokenAt)
	}
	return &pb.VerifyAuditChainResponse{
		Intact: found.Intact, BrokenAt: found.BrokenAt, Records: found.Records,
		HeadHash: hash(found.Head), AnchorHash: hash(found.Anchor), FirstSequence: found.First,
	}, nil
}
