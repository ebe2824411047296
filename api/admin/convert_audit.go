package admin

import (
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// auditMessage is an audit record as the API shows it.
func auditMessage(r *fsm.AuditRecord) *pb.AuditRecord {
	return &pb.AuditRecord{
		Sequence: r.Sequence, Index: r.Index, At: timestamp(r.At),
		Actor: r.Actor, Authentication: r.Authentication, Source: r.Source,
		Action: r.Action, Environment: r.Environment, Object: r.Object,
		Reason: r.Reason, Detail: r.Detail, RequestId: r.RequestID, Hash: hash(r.Hash),
	}
}
