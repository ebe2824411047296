package view

import (
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// AuditRecord is one change, or one denied attempt.
type AuditRecord struct {
	Sequence       uint64 `json:"sequence"`
	Index          uint64 `json:"index"`
	At             *Time  `json:"at"`
	Actor          string `json:"actor"`
	Authentication string `json:"authentication"`
	Source         string `json:"source"`
	Action         string `json:"action"`
	Environment    string `json:"environment"`
	Object         string `json:"object"`
	Reason         string `json:"reason"`
	Detail         string `json:"detail"`
	RequestID      string `json:"requestId"`
	Hash           string `json:"hash"`
}

// AuditList is the answer of `audit list`.
type AuditList struct {
	Records       []AuditRecord `json:"records"`
	AppliedIndex  uint64        `json:"appliedIndex"`
	NextPageToken string        `json:"nextPageToken,omitempty"`
}

// AuditChain is the answer of `audit verify`.
type AuditChain struct {
	Intact        bool   `json:"intact"`
	BrokenAt      uint64 `json:"brokenAt"`
	Records       uint64 `json:"records"`
	FirstSequence uint64 `json:"firstSequence"`
	HeadHash      string `json:"headHash"`
	AnchorHash    string `json:"anchorHash"`
}

// NewAuditRecord converts a record.
func NewAuditRecord(r *pb.AuditRecord) AuditRecord {
	return AuditRecord{
		Sequence: r.GetSequence(), Index: r.GetIndex(), At: moment(r.GetAt()), Actor: r.GetActor(),
		Authentication: r.GetAuthentication(), Source: r.GetSource(), Action: r.GetAction(),
		Environment: r.GetEnvironment(), Object: r.GetObject(), Reason: r.GetReason(), Detail: r.GetDetail(),
		RequestID: r.GetRequestId(), Hash: r.GetHash(),
	}
}

// NewAuditList converts a list.
func NewAuditList(list []*pb.AuditRecord, index uint64, next string) AuditList {
	return AuditList{Records: each(list, NewAuditRecord), AppliedIndex: index, NextPageToken: next}
}

// NewAuditChain converts an answer.
func NewAuditChain(r *pb.VerifyAuditChainResponse) AuditChain {
	return AuditChain{
		Intact: r.GetIntact(), BrokenAt: r.GetBrokenAt(), Records: r.GetRecords(), FirstSequence: r.GetFirstSequence(),
		HeadHash: r.GetHeadHash(), AnchorHash: r.GetAnchorHash(),
	}
}
