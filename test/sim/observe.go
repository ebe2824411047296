package sim

import (
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// transition is one committed command, with the states around it.
type transition struct {
	b          *book
	index      uint64
	entry      *logEntry
	header     fsm.Header
	payload    *pb.Payload
	prev, next *fsm.State
	result     fsm.Result
}

// observe checks what a command did, once, when it is first executed.
func (b *book) observe(index uint64, entry *logEntry, prev, next *fsm.State, result fsm.Result) {
	p := entry.proposal
	t := &transition{
		b: b, index: index, entry: entry, header: p.header, payload: p.payload,
		prev: prev, next: next, result: result,
	}
	if p.attempt != nil && p.attempt.denied {
		t.broken("I3", "an attempt that was called not executed is executed")
	}
	t.fences()
	t.requestOnce()
	if t.result.Refusal != nil || t.result.Replayed {
		t.unchanged()
		return
	}
	t.b.w.count(kindOf(p.payload))
	if p.payload.GetRestoreBackup() != nil {
		t.restored()
		return
	}
	t.votes()
	for _, name := range environmentNames {
		if was, is := prev.Environment(name), next.Environment(name); was != is && is != nil {
			if was == nil {
				was = &fsm.Environment{Name: name}
			}
			t.environment(was, is)
		}
	}
	t.counted()
	t.record()
	t.rewritten()
	t.audited()
}

func (t *transition) broken(promise, format string, args ...any) {
	args = append([]any{t.index, describe(t.entry.proposal)}, args...)
	t.b.w.broken(promise, "entry %d, %s: "+format, args...)
}

// fences: what a leader decided counts in its term and at its sequence (I10).
func (t *transition) fences() {
	if t.header.RequestID != "" || t.result.Refusal != nil {
		return
	}
	if t.header.Term != t.entry.term {
		t.broken("I10", "decided in term %d and executed in term %d", t.header.Term, t.entry.term)
	}
	name, sequence, fenced := fenceOf(t.payload)
	if !fenced {
		return
	}
	if env := t.prev.Environment(name); env == nil || env.Sequence != sequence {
		t.broken("I10", "decided at sequence %d and executed at another", sequence)
	}
}

// fenceOf is the sequence that a decision expects.
func fenceOf(p *pb.Payload) (environment string, sequence uint64, fenced bool) {
	type decision interface {
		GetEnvironment() string
		GetExpectedSequence() uint64
	}
	var m decision
	switch c := p.GetCommand().(type) {
	case *pb.Payload_CreateDeployment:
		m = c.CreateDeployment
	case *pb.Payload_BeginStaging:
		m = c.BeginStaging
	case *pb.Payload_RecordStaging:
		m = c.RecordStaging
	case *pb.Payload_Activate:
		m = c.Activate
	case *pb.Payload_FinishDeployment:
		m = c.FinishDeployment
	case *pb.Payload_ExpireApproval:
		m = c.ExpireApproval
	default:
		return "", 0, false
	}
	return m.GetEnvironment(), m.GetExpectedSequence(), true
}

// unchanged: what was refused, and what was executed before, changes nothing (I3).
func (t *transition) unchanged() {
	for _, name := range environmentNames {
		if t.prev.Environment(name) != t.next.Environment(name) {
			t.broken("I3", "it was refused or repeated, and environment %s changed", name)
		}
	}
	before, _, _ := t.prev.Counts()
	after, _, _ := t.next.Counts()
	if before != after || t.prev.Meta().AuditSequence != t.next.Meta().AuditSequence || t.prev.Settings() != t.next.Settings() {
		t.broken("I3", "it was refused or repeated, and the state changed")
	}
}

// environment checks how one environment changed.
func (t *transition) environment(was, is *fsm.Environment) {
	if is.LastActivation < was.LastActivation || is.Sequence < was.Sequence || is.PollDone < was.PollDone || is.LastPoll < was.LastPoll {
		t.broken("I4", "a number of %s went back", is.Name)
	}
	switch {
	case is.LastActivation != was.LastActivation:
		t.activation(was, is)
	case is.Active != was.Active:
		t.broken("I4", "what is active in %s changed without an activation", is.Name)
	}
	if op := is.Operation; op != nil && op.Kind == fsm.Deploy && (was.Operation == nil || was.Operation.ID != op.ID) {
		t.begins(was, op)
	}
	if is.Sequence != was.Sequence && t.next.Meta().AuditSequence == t.prev.Meta().AuditSequence {
		switch t.payload.GetCommand().(type) {
		case *pb.Payload_BeginStaging, *pb.Payload_RecordStaging, *pb.Payload_FinishDeployment, *pb.Payload_Approve, *pb.Payload_SetSettings:
			// Answers are collected, and nothing is decided yet; an approver said it before.
		default:
			t.broken("I16", "a decision about %s without an audit record", is.Name)
		}
	}
	if t.payload.GetObservePoll() == nil && t.payload.GetObserveNode() == nil {
		t.b.polls[is.Branch] = 0
	}
	t.polled(was, is)
	t.contents(is)
	for _, id := range ids(was, is) {
		t.deployment(id)
	}
}

// ids are the deployments that a change of an environment may have moved.
func ids(was, is *fsm.Environment) []string {
	list := append(append([]string{was.CurrentID, is.CurrentID}, was.Waiting...), is.Waiting...)
	for _, op := range []*fsm.Operation{was.Operation, is.Operation} {
		if op != nil {
			list = append(list, op.DeploymentID, op.TargetID)
		}
	}
	return list
}

// polled: a poll that failed changes nothing but what is said of polling (I17).
func (t *transition) polled(was, is *fsm.Environment) {
	if p := t.payload.GetObservePoll(); p != nil && p.GetErrorCode() != "" {
		if is.LatestCommit != was.LatestCommit || is.LatestDigest != was.LatestDigest || is.Sequence != was.Sequence || is.Operation != was.Operation {
			t.broken("I17", "a failed poll changed %s", is.Name)
		}
	}
	if was.Active != nil && is.Active == nil {
		t.broken("I17", "%s serves nothing any more", is.Name)
	}
}

// contents: what is active, on its way or waiting is kept.
func (t *transition) contents(is *fsm.Environment) {
	if is.Active != nil && t.next.Bundle(is.Active.Digest) == nil {
		t.broken("I7", "the active content of %s is gone", is.Name)
	}
	if is.Operation != nil && t.next.Bundle(is.Operation.Digest) == nil {
		t.broken("I7", "the content that %s applies is gone", is.Name)
	}
	for _, id := range is.Waiting {
		d := t.next.Deployment(id)
		if d == nil || !d.State.Waiting() {
			t.broken("states", "%s waits for deployment %s, which does not wait", is.Name, id)
		}
		if t.next.Bundle(d.Digest) == nil {
			t.broken("I7", "the content of %s, which waits, is gone", id)
		}
	}
}

// transitions is the table of the architecture.
var transitions = map[fsm.DeploymentState][]fsm.DeploymentState{
	fsm.StateNone:        {fsm.Pending, fsm.AwaitingApproval, fsm.Failed},
	fsm.Pending:          {fsm.AwaitingApproval, fsm.Applying, fsm.Superseded, fsm.Failed},
	fsm.AwaitingApproval: {fsm.Pending, fsm.Superseded, fsm.Failed},
	fsm.Applying:         {fsm.Completed, fsm.Failed, fsm.RolledBack, fsm.Pending},
	fsm.Completed:        {fsm.RolledBack, fsm.Pending, fsm.AwaitingApproval},
	fsm.Failed:           {fsm.Pending, fsm.AwaitingApproval, fsm.RolledBack, fsm.Completed},
	fsm.RolledBack:       {fsm.Pending, fsm.AwaitingApproval, fsm.Completed},
	fsm.Superseded:       {fsm.Completed, fsm.Pending, fsm.AwaitingApproval, fsm.RolledBack},
}

// deployment checks how one record moved.
func (t *transition) deployment(id string) {
	was, is := t.prev.Deployment(id), t.next.Deployment(id)
	if is == nil || was == is {
		return
	}
	before := fsm.StateNone
	if was != nil {
		before = was.State
	}
	if is.State == fsm.Completed {
		t.b.completed[id] = true
	}
	if before == is.State {
		return
	}
	if before >= fsm.Completed && is.State.Waiting() {
		delete(t.b.votes, id)
		t.again(id)
	}
	for _, allowed := range transitions[before] {
		if allowed == is.State {
			return
		}
	}
	t.broken("states", "deployment %s went from %s to %s", id, before, is.State)
}

// again: what was overridden once is not overridden for ever.
func (t *transition) again(id string) {
	if !t.payload.GetRetry().GetOverride() {
		delete(t.b.overrides, id)
	}
}

// record: one record for each environment, commit and content (I12).
func (t *transition) record() {
	if t.payload.GetCreateDeployment() == nil {
		return
	}
	d := t.next.Deployment(t.result.DeploymentID)
	if d == nil {
		return
	}
	key := d.Environment + "/" + d.Commit + "/" + d.Digest
	if other, known := t.b.records[key]; known && other != d.ID && t.next.Deployment(other) != nil {
		t.broken("I12", "deployments %s and %s are the same", other, d.ID)
	}
	t.b.records[key] = d.ID
}

// audited: the new records are of this change, one after the other (I16).
func (t *transition) audited() {
	for sequence := t.prev.Meta().AuditSequence + 1; sequence <= t.next.Meta().AuditSequence; sequence++ {
		for r := range t.next.Audit(sequence) {
			if r.Sequence != sequence || r.Index != t.index || r.RequestID != t.header.RequestID {
				t.broken("I16", "audit record %d is not of this change", sequence)
			}
			break
		}
	}
}
