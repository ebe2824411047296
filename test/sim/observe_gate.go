package sim

import (
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// requestOnce: a request is executed once, and answered with its first result
// for ever (I3).
func (t *transition) requestOnce() {
	id := t.header.RequestID
	if id == "" {
		return
	}
	if refusal := t.result.Refusal; refusal != nil && (!refusal.Answers() || refusal.Reason == "request_id_reused" || refusal.Reason == "bad_request_id") {
		return
	}
	first, known := t.b.executions[id]
	switch {
	case !known && t.result.Replayed:
		t.broken("I3", "request %s is answered as repeated and was never executed", id)
	case !known:
		t.b.executions[id] = execution{index: t.index, result: t.result}
	case !t.result.Replayed:
		t.broken("I3", "request %s is executed at %d and again", id, first.index)
	case !sameResult(first.result, t.result):
		t.broken("I3", "request %s is answered with another result than at %d", id, first.index)
	}
}

func sameResult(a, b fsm.Result) bool {
	refusal := func(r fsm.Result) string {
		if r.Refusal == nil {
			return ""
		}
		return string(r.Refusal.Class) + "/" + r.Refusal.Reason
	}
	return a.Index == b.Index && a.DeploymentID == b.DeploymentID && a.Sequence == b.Sequence && a.Value == b.Value && refusal(a) == refusal(b)
}

// acknowledged checks what a caller is told (I3); whoever reads from now on has to see it.
func (b *book) acknowledged(r *request, result fsm.Result) {
	told := result
	r.result = &told
	if r.forgotten || result.Refusal != nil && result.Refusal.Reason == "request_id_reused" {
		return
	}
	first, known := b.executions[r.id]
	if known && !sameResult(first.result, result) {
		b.w.broken("I3", "request %s was executed at %d, and its caller was told something else", r.id, first.index)
	}
	b.acknowledgedAt(first.index)
}

// votes notes who approved what, from the commands alone.
func (t *transition) votes() {
	who := t.header.Caller.GetIdentity()
	switch c := t.payload.GetCommand().(type) {
	case *pb.Payload_Approve:
		id := c.Approve.GetDeploymentId()
		if c.Approve.GetOverride() {
			t.b.overrides[id] = true
			return
		}
		t.vote(t.prev.Deployment(id), who)
	case *pb.Payload_Retry:
		if c.Retry.GetOverride() {
			t.b.overrides[c.Retry.GetDeploymentId()] = true
		}
	case *pb.Payload_RequestPoll:
		env := t.prev.Environment(c.RequestPoll.GetEnvironment())
		if !c.RequestPoll.GetLiftHold() || env == nil {
			return
		}
		for _, id := range env.Waiting {
			if d := t.prev.Deployment(id); slices.Equal(d.ApprovalReasons, []string{fsm.ReasonRewritten}) {
				t.vote(d, who)
			}
		}
	}
}

func (t *transition) vote(d *fsm.Deployment, who string) {
	if d != nil && d.State == fsm.AwaitingApproval {
		t.b.votes[d.ID] = append(t.b.votes[d.ID], vote{approver: strings.ToLower(who), policy: d.Policy.Digest()})
	}
}

// begins checks that nothing keeps a deployment from being applied (I5).
func (t *transition) begins(env *fsm.Environment, op *fsm.Operation) {
	d := t.prev.Deployment(op.DeploymentID)
	t.b.begun[op.ID] = true
	if d == nil {
		t.broken("I5", "deployment %s begins and is not there", op.DeploymentID)
	}
	if t.prev.Hold(env.Name, d.Digest) != nil {
		t.broken("I5", "deployment %s begins and is held", d.ID)
	}
	if t.b.overrides[d.ID] {
		return
	}
	if env.Pause != nil || t.prev.Meta().Freeze != nil {
		t.broken("I5", "deployment %s begins in a pause", d.ID)
	}
	p := fsm.PolicyInForce(t.prev, env.Name)
	if !gated(p, env, d) {
		return
	}
	approvers := map[string]bool{}
	for _, v := range t.b.votes[d.ID] {
		if v.policy == p.Digest() && (!p.ForbidAuthorApproval || !t.involved(d, v.approver)) {
			approvers[v.approver] = true
		}
	}
	if need := max(1, int(p.MinimumApprovers)); len(approvers) < need {
		t.broken("I5", "deployment %s begins with %d of %d approvals", d.ID, len(approvers), need)
	}
}

// gated reports whether a policy asks for approvals of a deployment.
func gated(p *fsm.Policy, env *fsm.Environment, d *fsm.Deployment) bool {
	return p.RequiresApproval || p.MinimumRisk != fsm.RiskNone && d.Risk >= p.MinimumRisk ||
		d.Rewritten && p.ApproveRewrite || env.AfterRollback && p.ApproveAfterRollback
}

// involved: who wrote it or asked for it, as Git knows them and as the settings
// map them.
func (t *transition) involved(d *fsm.Deployment, who string) bool {
	names := []string{d.InitiatedBy}
	for _, c := range d.Contributors {
		names = append(names, c.Name, c.Email, t.prev.Settings().Identities[strings.ToLower(c.Email)])
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, who) })
}

// activation checks the one decision for all nodes (I1, I4, I5, I7, I13, I17).
func (t *transition) activation(was, is *fsm.Environment) {
	op, a := was.Operation, is.Active
	if is.LastActivation != was.LastActivation+1 || a == nil || a.Index != is.LastActivation || t.payload.GetActivate() == nil {
		t.broken("I4", "%s went from activation %d to %d", is.Name, was.LastActivation, is.LastActivation)
	}
	if newest := t.b.newest(is.Name); a.Index != newest.index+1 && newest.epoch == a.Epoch {
		t.broken("I4", "%s gives index %d after %d", is.Name, a.Index, newest.index)
	}
	if op == nil || op.Gated || op.Digest != a.Digest {
		t.broken("I5", "%s activates what is not on its way", is.Name)
	}
	target := t.prev.Deployment(op.TargetID)
	if target == nil || target.Digest != a.Digest || target.Environment != is.Name {
		t.broken("I7", "%s activates %.7s for deployment %s", is.Name, a.Digest, op.TargetID)
	}
	switch op.Kind {
	case fsm.Deploy:
		if !t.b.begun[op.ID] {
			t.broken("I5", "deployment %s is activated and was never begun", op.DeploymentID)
		}
	case fsm.Rollback:
		if !t.b.completed[op.TargetID] {
			t.broken("I7", "%s is rolled back to %s, which never completed", is.Name, op.TargetID)
		}
	}
	t.everyoneStaged(op)
	if !t.b.heads[is.Name+"/"+a.Digest] {
		t.broken("I17", "%s activates a content that no head had", is.Name)
	}
	t.activated(is)
}

// activated notes a decision about what is served.
func (t *transition) activated(env *fsm.Environment) {
	a := env.Active
	t.b.activations[env.Name] = append(t.b.activations[env.Name], activation{
		epoch: a.Epoch, index: a.Index, deployment: a.DeploymentID, digest: a.Digest, commit: a.Commit,
	})
	t.b.w.count("activated by " + a.Kind.String())
}

// everyoneStaged: no available participant is missing, and a majority is there.
func (t *transition) everyoneStaged(op *fsm.Operation) {
	voters := t.payload.GetActivate().GetVoters()
	staged := 0
	for _, p := range op.Participants {
		n := t.prev.Node(p.NodeID)
		if p.Staged == fsm.AnswerYes && t.b.w.natures[op.Digest].rejects == p.NodeID {
			t.broken("staging", "%s counts as staged and rejected it", p.NodeID)
		}
		switch {
		case p.Staged == fsm.AnswerYes && slices.Contains(voters, p.NodeID):
			staged++
		case n != nil && n.Available && n.Incarnation == p.Incarnation && slices.Contains(voters, p.NodeID):
			t.broken("staging", "%s is available and has not staged it", p.NodeID)
		}
	}
	if staged*2 <= len(voters) {
		t.broken("staging", "%d of %d voters have staged it", staged, len(voters))
	}
}

// rewritten: a branch that forgot what is deployed is put on record as that (I13).
func (t *transition) rewritten() {
	m := t.payload.GetCreateDeployment()
	env := t.prev.Environment(m.GetEnvironment())
	if m == nil || len(m.GetProblems()) > 0 || env == nil || env.Active == nil {
		return
	}
	deployed := env.SyncedCommit
	if deployed == "" {
		deployed = env.Active.Commit
	}
	if t.b.w.git.relation(m.GetCommit(), deployed) == gitsync.Rewritten && !t.next.Deployment(t.result.DeploymentID).Rewritten {
		t.broken("I13", "commit %.7s forgets %.7s, and its record does not say so", m.GetCommit(), deployed)
	}
}
