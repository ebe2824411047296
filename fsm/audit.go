package fsm

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// auditMemory is how many records the replicated chain keeps. The hash of the
// newest one that was cut off stays as the anchor of the rest (I16).
const auditMemory = 20_000

// audit appends one record to the chain.
func (c *change) audit(action, environment, object, reason, detail string) {
	caller := c.envelope.GetCaller()
	r := &AuditRecord{
		Actor: c.actor(), Authentication: caller.GetAuthentication(), Source: caller.GetSource(),
		Action: action, Environment: environment, Object: object, Reason: reason, Detail: detail,
	}
	if caller.GetIdentity() == "" {
		r.Authentication, r.Source = "system", c.envelope.GetProposer()
	}
	c.appendAudit(r)
}

func (c *change) appendAudit(r *AuditRecord) {
	c.meta.AuditSequence++
	r.Sequence = c.meta.AuditSequence
	r.Index = c.entry.Index
	r.At = c.now()
	r.RequestID = c.envelope.GetRequestId()
	c.unchained = append(c.unchained, r)
}

// chainAudit chains the records that were appended, now that the change is
// certain, and cuts off the oldest.
func (c *change) chainAudit() {
	for _, r := range c.unchained {
		r.Hash = auditHash(c.meta.AuditHead, r)
		c.meta.AuditHead = r.Hash
		c.audits.put(r)
		if r.Sequence <= auditMemory {
			continue
		}
		if old := c.audits.get(number(r.Sequence - auditMemory)); old != nil {
			c.meta.AuditAnchor = old.Hash
			c.audits.drop(number(old.Sequence))
		}
	}
	c.unchained = nil
}

// auditHash chains a record to the one before. Every field is length-prefixed,
// so that no two records have the same bytes.
func auditHash(previous [32]byte, r *AuditRecord) [32]byte {
	buffer := encodings.Get().(*[]byte)
	defer encodings.Put(buffer)
	b := append((*buffer)[:0], previous[:]...)
	for _, n := range []uint64{r.Sequence, r.Index, uint64(r.At)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, s := range []string{
		r.Actor, r.Authentication, r.Source, r.Action, r.Environment,
		r.Object, r.Reason, r.Detail, r.RequestID,
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	*buffer = b
	return sha256.Sum256(b)
}

// AuditCheck is what VerifyAudit found.
type AuditCheck struct {
	Intact bool
	// BrokenAt is the first sequence whose hash does not fit.
	BrokenAt uint64
	Records  uint64
	First    uint64
	Anchor   [32]byte
	Head     [32]byte
}

// VerifyAudit recomputes the chain from its anchor to its head.
func VerifyAudit(s *State) AuditCheck {
	check := AuditCheck{Anchor: s.meta.AuditAnchor, Head: s.meta.AuditHead, First: s.FirstAudit()}
	previous, next := check.Anchor, check.First
	for r := range s.Audit(0) {
		if r.Sequence != next || auditHash(previous, r) != r.Hash {
			check.BrokenAt = r.Sequence
			return check
		}
		previous, next = r.Hash, next+1
		check.Records++
	}
	check.Intact = previous == check.Head
	if !check.Intact {
		check.BrokenAt = next
	}
	return check
}

// recordDenials puts denied attempts on record, as one node aggregated them.
func (c *change) recordDenials(command *pb.RecordDenials) (Result, error) {
	if len(command.GetDenials()) == 0 || len(command.GetDenials()) > 100 {
		return Result{}, refuse(ClassInvalid, "bad_denials", "1 to 100 denials can be recorded at once")
	}
	for _, d := range command.GetDenials() {
		c.appendAudit(&AuditRecord{
			Actor: d.GetIdentity(), Authentication: d.GetAuthentication(), Source: d.GetSource(),
			Action: "access.denied", Object: d.GetMethod(), Reason: d.GetReason(),
			Detail: "attempts=" + strconv.FormatUint(uint64(d.GetCount()), 10) + " node=" + command.GetNodeId(),
		})
	}
	return Result{}, nil
}
