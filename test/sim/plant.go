package sim

import (
	"bytes"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
)

// Fault is a defect that is planted in the driver, to show that the checks see it.
type Fault string

// The faults, and the promises that they break.
const (
	NoFault Fault = ""
	// ActivateTwice performs an activation again (I2).
	ActivateTwice Fault = "activate twice"
	// SkipIntent swaps without a line in the journal (I2).
	SkipIntent Fault = "skip the intent"
	// SkipSync swaps before the line is safely on disk (I2).
	SkipSync Fault = "skip the sync of the intent"
	// SkipBundleSync serves a content that is not safely on disk (I6).
	SkipBundleSync Fault = "skip the sync of a bundle"
	// SkipDirectorySync serves a content whose name is not safely on disk (I6).
	SkipDirectorySync Fault = "skip the sync of a directory"
	// SwapStaged serves what is only staged (I1, I6).
	SwapStaged Fault = "serve what is staged"
	// ServeForeign serves a content that was never activated (I6).
	ServeForeign Fault = "serve another content"
	// ActOnOld acts on every state of a replay (I1).
	ActOnOld Fault = "activate what came before"
	// DropAcknowledged tells a caller that something was done (I3).
	DropAcknowledged Fault = "acknowledge before commit"
	// ExecuteTwice loses the id of a repeated request (I3).
	ExecuteTwice Fault = "forget the request id"
	// DenyExecuted calls an attempt not executed that is (I3).
	DenyExecuted Fault = "call it not executed"
	// CountTwice is satisfied with half of the approvers (I5).
	CountTwice Fault = "count an approval twice"
	// ForgeTerm lets a leader of an earlier term decide (I10).
	ForgeTerm Fault = "ignore the term"
	// ReuseIndex gives an activation index out again (I4).
	ReuseIndex Fault = "reuse an activation index"
	// RollBackAnywhere lets a rollback choose what never completed (I7).
	RollBackAnywhere Fault = "roll back to what failed"
	// LoseEntry skips an entry on one node (I11).
	LoseEntry Fault = "skip an entry"
	// CopyRecord makes a second record of one content (I12).
	CopyRecord Fault = "record a commit twice"
	// HideRewrite takes a rewritten branch for one that grew (I13).
	HideRewrite Fault = "hide a rewritten branch"
	// ForgeAudit alters an audit record (I16).
	ForgeAudit Fault = "alter the audit"
	// MisreadCommit takes an unreadable commit for something else (I17).
	MisreadCommit Fault = "take garbage for a content"
	// ForgetFinish loses the ends of operations (liveness).
	ForgetFinish Fault = "lose the end of operations"
	// ForgetFollow lets a node stop following after a while (liveness).
	ForgetFollow Fault = "stop following"
	// ReadAnywhere lets a leader answer reads without asking whether it still is one (I8).
	ReadAnywhere Fault = "read without verifying leadership"
	// ReadAtOnce answers a read with what the node has (I8).
	ReadAtOnce Fault = "read without waiting"
	// ShowOlder shows a state again that was replaced (I9).
	ShowOlder Fault = "show an older state"
	// HideBuild takes every node's build for the newest one: a format comes into force that not all know.
	HideBuild Fault = "hide an old build"
)

// Faults are all that can be planted where nodes run one build; HideBuild needs two.
func Faults() []Fault {
	return []Fault{
		ActivateTwice, SkipIntent, SkipSync, SkipBundleSync, SkipDirectorySync, SwapStaged, ServeForeign, ActOnOld, DropAcknowledged, ExecuteTwice, DenyExecuted,
		CountTwice, ForgeTerm, ReuseIndex, RollBackAnywhere, LoseEntry, CopyRecord, HideRewrite, ForgeAudit, MisreadCommit,
		ForgetFinish, ForgetFollow, ReadAnywhere, ReadAtOnce, ShowOlder,
	}
}

func (w *world) planted(f Fault) bool { return w.config.Fault == f }

// mutates: records are altered in place, which makes nodes differ as well.
func (w *world) mutates() bool {
	switch w.config.Fault {
	case CountTwice, ReuseIndex, RollBackAnywhere, CopyRecord, ForgeAudit:
		return true
	default:
		return false
	}
}

// plantAcknowledge answers a caller without asking the cluster.
func (w *world) plantAcknowledge(r *request) bool {
	if !w.planted(DropAcknowledged) || !w.chance(0.05) {
		return false
	}
	r.result, r.done = &fsm.Result{}, true
	return true
}

// plantProposal alters a command before it is encoded. The book believes the
// proposal, not the bytes.
func (w *world) plantProposal(p *proposal) fsm.Header {
	h := p.header
	if w.planted(ForgeTerm) && h.Term != 0 {
		h.Term = w.raft.term
	}
	if w.planted(ExecuteTwice) && p.attempt != nil && p.attempt.request.sent > 1 {
		h.RequestID = ""
	}
	return h
}

// plantExecution alters records behind the state machine's back.
func (w *world) plantExecution(n *node, entry *logEntry, result fsm.Result) {
	state := n.state
	switch w.config.Fault {
	case CountTwice:
		for _, name := range environmentNames {
			env := state.Environment(name)
			if env == nil {
				continue
			}
			for _, id := range env.Waiting {
				if d := state.Deployment(id); d != nil && d.Required == 2 {
					d.Required = 1
				}
			}
		}
	case ReuseIndex:
		if entry.proposal.payload.GetFinishDeployment() != nil {
			if env := state.Environment(result.Environment); env != nil && env.LastActivation == 2 {
				env.LastActivation = 1
			}
		}
	case RollBackAnywhere:
		if d := state.Deployment(result.DeploymentID); d != nil && d.State == fsm.Failed && d.HasContent {
			d.EverCompleted = true
		}
	case CopyRecord:
		w.copyRecord(state, result.DeploymentID)
	case ForgeAudit:
		for r := range state.Audit(2) {
			r.Actor = "nobody"
			break
		}
	}
}

func (w *world) copyRecord(state *fsm.State, id string) {
	d := state.Deployment(id)
	if d == nil {
		return
	}
	for other := range state.Deployments(d.Environment) {
		if other.ID != d.ID {
			d.Commit, d.Digest = other.Commit, other.Digest
			return
		}
	}
}

// plantWrite reports whether what is written to a file never gets there.
func (d *disk) plantWrite(path string, line []byte) bool {
	return d.n.w.planted(SkipIntent) && path == journalPath && bytes.Contains(line, []byte(`"phase":"Intent"`))
}

// plantSync reports whether a sync does nothing.
func (d *disk) plantSync(path string) bool {
	switch d.n.w.config.Fault {
	case SkipSync:
		return path == journalPath
	case SkipBundleSync:
		return path != journalPath && kind(path) == "a bundle" && path != bundleFolder
	case SkipDirectorySync:
		return path == bundleFolder
	default:
		return false
	}
}

// plantJournal loses the journal of a process that starts.
func (n *node) plantJournal() {
	if n.w.planted(ActivateTwice) || n.w.planted(ActOnOld) {
		delete(n.disk.names, journalPath)
		delete(n.disk.safe, journalPath)
	}
}

// plantAhead lets a node act before it has caught up.
func (n *node) plantAhead() bool { return n.w.planted(ActOnOld) }

// plantReading is a commit that holds what no commit ever held.
func (w *world) plantReading(environment, sha string) *gitsync.Reading {
	for _, v := range w.library.variants[environment] {
		if !w.book.heads[environment+"/"+v.digest] {
			return &gitsync.Reading{Commit: gitsync.CommitInfo{SHA: sha}, Files: v.files, Policy: v.policy}
		}
	}
	return &gitsync.Reading{Commit: gitsync.CommitInfo{SHA: sha}, NoEnvironment: true}
}

// plantWeight makes a rollback to any deployment likely, where that shows the fault.
func (w *world) plantWeight(weight float64) float64 {
	if w.planted(RollBackAnywhere) {
		return 20 * weight
	}
	return weight
}

// plantStaged serves what was just staged.
func (n *node) plantStaged(environment, digest string) {
	switch n.w.config.Fault {
	case SwapStaged:
		n.registry[environment] = digest
	case ServeForeign:
		if n.w.chance(0.2) {
			n.registry[environment] = pick(n.w, n.w.library.variants[environment]).digest
		}
	}
}

// plantState is the state that a node acts on.
func (n *node) plantState() *fsm.State {
	if n.w.planted(ActOnOld) && n.applied > 3 && n.w.chance(0.3) {
		return n.w.book.states[n.applied-uint64(n.w.random.IntN(int(min(n.applied, 40))))]
	}
	return n.state
}

// plantSkips reports whether an entry is lost on a node.
func (n *node) plantSkips(entry *logEntry) bool {
	return n.w.planted(LoseEntry) && n.strict && entry.proposal != nil && n.w.chance(0.02)
}

// plantDrops reports whether a proposal is lost for ever.
func (w *world) plantDrops(p *proposal) bool {
	return w.planted(ForgetFinish) && p.payload.GetFinishDeployment() != nil
}

// plantStops reports whether a node does not follow any more.
func (n *node) plantStops() bool {
	return n.w.planted(ForgetFollow) && n.applied > 30 && n.id == "node2"
}

// plantVerified reports whether a leader takes itself for one.
func (n *node) plantVerified() bool { return n.w.planted(ReadAnywhere) }

// plantCurrent reports whether a node takes its state for a current one.
func (n *node) plantCurrent() bool { return n.w.planted(ReadAtOnce) }

// plantOlder is the index of the state that a node shows.
func (n *node) plantOlder(index uint64) uint64 {
	if n.w.planted(ShowOlder) && index > 0 && n.w.chance(0.001) {
		return index - 1
	}
	return index
}

// plantDenied tells a caller something else than happened.
func (w *world) plantDenied(err error) error {
	if w.planted(DenyExecuted) && err == errUnknown {
		return errNotExecuted
	}
	return err
}
