package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// backup is a snapshot that an operator keeps, and what the book knew then.
type backup struct {
	data   []byte
	digest string
	state  *fsm.State
	book   memory
}

// memory is what of the book a restore takes back.
type memory struct {
	executions map[string]execution
	records    map[string]string
	votes      map[string][]vote
	overrides  map[string]bool
	completed  map[string]bool
	begun      map[uint64]bool
}

func (m memory) clone() memory {
	return memory{
		executions: maps.Clone(m.executions), records: maps.Clone(m.records), votes: maps.Clone(m.votes),
		overrides: maps.Clone(m.overrides), completed: maps.Clone(m.completed), begun: maps.Clone(m.begun),
	}
}

// restore makes a backup or brings one back; false if neither can be done.
func (c *caller) restore() bool {
	w := c.w
	if w.mutates() {
		return false
	}
	if len(w.backups) == 0 || w.random.IntN(2) == 0 {
		w.backUp()
		return false
	}
	b := pick(w, w.backups)
	id := w.id("backup")
	upload := &pb.Payload{Command: &pb.Payload_StoreBackup{StoreBackup: &pb.StoreBackup{UploadId: id, Digest: b.digest, Total: 1, Data: b.data}}}
	restore := &pb.Payload{Command: &pb.Payload_RestoreBackup{RestoreBackup: &pb.RestoreBackup{
		UploadId: id, Digest: b.digest, Reason: "it was better then",
	}}}
	c.ask(upload, func() {
		c.ask(restore, func() { w.after(w.between(200, 2500), c.act) })
	})
	return true
}

// backUp keeps the state of a node that has everything.
func (w *world) backUp() {
	n := pick(w, w.nodes)
	if !n.up || n.applied == 0 || n.applied+1 != uint64(len(w.book.states)) || n.state.Settings() == nil {
		return
	}
	data := w.snapshot(n.state)
	sum := sha256.Sum256(data)
	w.count("backups")
	w.say("an operator backs %d up", n.applied)
	w.backups = append(w.backups, &backup{data: data, digest: hex.EncodeToString(sum[:]), state: n.state, book: w.book.memory.clone()})
}

// restored checks what a restore makes of the state, and takes the book back to
// the backup's: what must always hold holds for each epoch.
func (t *transition) restored() {
	b, digest := t.b, t.payload.GetRestoreBackup().GetDigest()
	var saved *backup
	for _, kept := range b.w.backups {
		if kept.digest == digest {
			saved = kept
		}
	}
	epoch := t.next.Meta().Epoch
	if epoch <= t.prev.Meta().Epoch || epoch <= saved.state.Meta().Epoch {
		t.broken("I4", "a restore goes from epoch %d to %d", t.prev.Meta().Epoch, epoch)
	}
	for _, name := range environmentNames {
		t.broughtBack(name, saved)
	}
	if check := fsm.VerifyAudit(t.next); !check.Intact {
		t.broken("I16", "after a restore the audit chain is broken at %d", check.BrokenAt)
	}
	cut := false
	for r := range t.next.AuditBack(t.next.Meta().AuditSequence) {
		if r.Index != t.index {
			break
		}
		cut = cut || r.Action == "cluster.restore"
	}
	if !cut {
		t.broken("I16", "the audit does not show the cut of a restore")
	}
	b.memory = saved.book.clone()
	for _, name := range environmentNames {
		t.completedByRestore(name)
	}
	b.executions[t.header.RequestID] = execution{index: t.index, result: t.result}
	for _, r := range b.requests {
		r.forgotten = r.forgotten || r.id != t.header.RequestID
	}
	clear(b.polls)
}

// completedByRestore: what was active and not verified to its end counts as
// completed from here on.
func (t *transition) completedByRestore(name string) {
	env := t.next.Environment(name)
	if env == nil || env.Active == nil {
		return
	}
	if d := t.next.Deployment(env.Active.DeploymentID); d != nil && d.State == fsm.Completed {
		t.b.completed[d.ID] = true
	}
}

// broughtBack: what is served again is what the backup served, under an index
// that was never given out.
func (t *transition) broughtBack(name string, saved *backup) {
	was, is, then := t.prev.Environment(name), t.next.Environment(name), saved.state.Environment(name)
	switch {
	case is == nil:
		return
	case then == nil:
		t.broken("I11", "%s is in no backup and was restored", name)
	case is.Operation != nil:
		t.broken("I5", "%s goes on with what the restore interrupted", name)
	case was != nil && is.LastActivation < was.LastActivation:
		t.broken("I4", "the last activation of %s went from %d back to %d", name, was.LastActivation, is.LastActivation)
	case is.Active == nil || is.Active.Epoch != t.next.Meta().Epoch:
		return
	case then.Active == nil || then.Active.Digest != is.Active.Digest:
		t.broken("I6", "the restore activates %.7s in %s, which is not what was saved", is.Active.Digest, name)
	case was != nil && is.Active.Index <= was.LastActivation:
		t.broken("I4", "the restore gives index %d out again in %s", is.Active.Index, name)
	}
	t.activated(is)
}
