package sim

import (
	"bytes"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
)

// verdict checks, at rest, that the cluster is where it has to be.
func (w *world) verdict() {
	state := w.raft.leader.state
	for env := range state.Environments() {
		if env.Retired {
			continue
		}
		w.inStep(state, env)
		w.servedEverywhere(env)
		for d := range state.Deployments(env.Name) {
			w.notStuck(env, d)
		}
	}
	w.answersKept(state)
	w.sameEverywhere(state)
}

// inStep: an environment serves what its branch's head asks for, or the state
// says why not.
func (w *world) inStep(state *fsm.State, env *fsm.Environment) {
	head, _ := w.git.headOf(env.Branch)
	v := head.content[env.Name]
	switch {
	case v == nil && env.Active == nil:
		return
	case v == nil || v.digest == "":
		w.refused(state, env, head)
		return
	case env.LatestDigest != v.digest:
		w.broken("liveness", "%s does not know the content of its head", env.Name)
	case digestOf(env.Active) == v.digest && env.Operation == nil:
		if env.SyncedCommit != head.sha {
			w.broken("liveness", "%s serves its head and says it is in step with %.7s", env.Name, env.SyncedCommit)
		}
		return
	}
	if hold := state.Hold(env.Name, v.digest); hold != nil {
		w.heldRightly(state, env, hold)
		return
	}
	for _, id := range env.Waiting {
		if d := state.Deployment(id); d.Digest == v.digest {
			w.waitsRightly(state, env, d)
			return
		}
	}
	if env.Active != nil {
		if d := state.Deployment(env.Active.DeploymentID); d != nil && d.InitiatedBy != fsm.Watcher {
			return // an operator wanted it so
		}
	}
	if op := env.Operation; op != nil && op.Gated {
		return // a rollback waits for approval, and everything for it
	}
	known := state.DeploymentByContent(env.Name, head.sha, v.digest)
	what := "there is no record of it"
	if known != nil {
		what = "deployment " + known.ID + " is " + known.State.String()
	}
	w.broken("liveness", "%s is not in step with its head %.7s (%.7s), nothing holds it, and nothing happens: %s", env.Name, head.sha, v.digest, what)
}

// refused: a head that fails the checks has a record that says so.
func (w *world) refused(state *fsm.State, env *fsm.Environment, head *commit) {
	d := state.DeploymentByContent(env.Name, head.sha, env.LatestDigest)
	if d != nil && d.State == fsm.Failed && len(d.Problems) > 0 && d.ReasonCode != "" {
		return
	}
	held := env.LatestDigest
	if held == "" {
		held = "commit:" + head.sha
	}
	if hold := state.Hold(env.Name, held); hold != nil {
		return
	}
	w.broken("liveness", "the head %.7s of %s fails its checks, and nothing says so", head.sha, env.Name)
}

// heldRightly: what is held has a record that says why, and the reason is true.
func (w *world) heldRightly(state *fsm.State, env *fsm.Environment, hold *fsm.Hold) {
	d := state.Deployment(hold.DeploymentID)
	if d == nil {
		if state.Settings().HistoryLimit == 0 {
			w.broken("liveness", "%.7s of %s is held for deployment %s, which is not there", hold.Digest, env.Name, hold.DeploymentID)
		}
		return
	}
	nature := w.natures[hold.Digest]
	switch hold.Reason {
	case "staging_rejected":
		if nature.rejects == "" && !w.disturbed { // a node that cannot keep a content rejects it
			w.broken("liveness", "%.7s of %s is held as rejected, and no node rejects it", hold.Digest, env.Name)
		}
	case "verification_failed":
		if nature.fails == "" {
			w.broken("liveness", "%.7s of %s is held as failing, and it fails nowhere", hold.Digest, env.Name)
		}
	}
	if d.State != fsm.Failed && d.State != fsm.RolledBack {
		w.broken("liveness", "%.7s of %s is held for deployment %s, which is %s", hold.Digest, env.Name, d.ID, d.State)
	}
}

// waitsRightly: what waits has something to wait for.
func (w *world) waitsRightly(state *fsm.State, env *fsm.Environment, d *fsm.Deployment) {
	switch {
	case d.State == fsm.AwaitingApproval:
	case env.Pause != nil || state.Meta().Freeze != nil:
	case state.Settings().DryRun && d.DryRun:
	case env.Operation != nil && env.Operation.Gated:
	default:
		w.broken("liveness", "deployment %s may begin and does not", d.ID)
	}
}

// servedEverywhere: every member serves what is active.
func (w *world) servedEverywhere(env *fsm.Environment) {
	for _, n := range w.nodes {
		if !n.member || env.Active == nil {
			continue
		}
		s := n.serves()[slices.Index(environmentNames[:], env.Name)]
		if s.ActivationIndex != env.Active.Index || s.Digest != env.Active.Digest || s.Problem != "" || n.registry[env.Name] != env.Active.Digest {
			w.broken("liveness", "%s serves %s at %d and not at %d: %s", n.id, env.Name, s.ActivationIndex, env.Active.Index, s.Problem)
		}
	}
}

// notStuck: a record is in a state that something leads out of.
func (w *world) notStuck(env *fsm.Environment, d *fsm.Deployment) {
	op := env.Operation
	switch {
	case d.State.Waiting() && !slices.Contains(env.Waiting, d.ID):
		w.broken("liveness", "deployment %s is %s and in no line", d.ID, d.State)
	case d.State == fsm.Applying && (op == nil || op.DeploymentID != d.ID):
		w.broken("liveness", "deployment %s is applied by nobody", d.ID)
	}
}

// answersKept: what callers were told is what the log holds (I3).
func (w *world) answersKept(state *fsm.State) {
	for _, r := range w.book.requests {
		first, executed := w.book.executions[r.id]
		switch {
		case r.forgotten:
		case r.result == nil && r.given && !r.doubtful && executed && first.result.Refusal == nil && !w.reused(r):
			w.broken("I3", "request %s was called not executed and was executed at %d", r.id, first.index)
		case r.result == nil || r.result.Refusal != nil:
		case !executed:
			w.broken("I3", "request %s was acknowledged and is not in the log", r.id)
		case !sameResult(first.result, *r.result):
			w.broken("I3", "request %s was acknowledged with something else than happened at %d", r.id, first.index)
		}
	}
	_ = state
}

// reused: another request had the same id.
func (w *world) reused(r *request) bool {
	n := 0
	for _, other := range w.book.requests {
		if other.id == r.id {
			n++
		}
	}
	return n > 1
}

// sameEverywhere: equal states, whole audit chains, and a snapshot that brings
// back what was saved (I11, I16).
func (w *world) sameEverywhere(state *fsm.State) {
	for _, n := range w.nodes {
		if n.member {
			w.book.compare(n)
		}
		if n.member && n.viewer {
			w.shownRightly(n)
		}
	}
	if check := fsm.VerifyAudit(state); !check.Intact {
		w.broken("I16", "the audit chain is broken at %d", check.BrokenAt)
	}
	if w.mutates() || w.random.IntN(4) > 0 {
		return
	}
	read, err := fsm.ReadSnapshot(bytes.NewReader(w.snapshot(state)))
	if err != nil {
		w.broken("I11", "the last snapshot cannot be read: %v", err)
	}
	if read.Hash() != state.Hash() {
		w.broken("I11", "the last snapshot brings back another state")
	}
}
