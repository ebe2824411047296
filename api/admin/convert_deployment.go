package admin

import (
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// deploymentMessage is a deployment as the API shows it.
func deploymentMessage(state *fsm.State, d *fsm.Deployment) *pb.Deployment {
	if d == nil {
		return nil
	}
	m := &pb.Deployment{
		Id: d.ID, Environment: d.Environment, Commit: d.Commit, Digest: d.Digest, Branch: d.Branch,
		PreviousCommit: d.PreviousCommit, Author: d.Author, Message: d.Message, InitiatedBy: d.InitiatedBy,
		State: stateMessage(d.State), Phase: phaseMessage(d.Phase), Health: healthMessage(d.Health),
		SyncStatus: syncMessage(fsm.SyncOfDeployment(d)), Risk: riskMessage(d.Risk),
		StartedAt: timestamp(d.Started), UpdatedAt: timestamp(d.Updated), CompletedAt: timestamp(d.CompletedAt),
		ErrorMessage: d.Error, ReasonCode: d.ReasonCode, Problems: d.Problems,
		Attempts: d.Attempts, ActivationIndex: d.Activation,
		SupersededBy: d.SupersededBy, RolledBackTo: d.RolledBackTo, Rewritten: d.Rewritten, RewrittenAway: d.RewrittenAway,
		Imported:          d.Imported,
		RequiredApprovers: d.Required, ApprovalReasons: d.ApprovalReasons, PolicyDigest: d.Policy.Digest(),
		ContributorsUnknown: d.ContributorsUnknown,
	}
	if s := d.Signature; s.Status != "" {
		m.Signature = &pb.CommitSignature{Status: s.Status, Commit: s.Commit, Signer: s.Signer, Key: s.Key, Detail: s.Detail}
	}
	addHistory(m, d)
	addApprovals(m, state, d)
	addNodes(m, state, d)
	addWaiting(m, state, d)
	return m
}

func addHistory(m *pb.Deployment, d *fsm.Deployment) {
	for _, t := range d.History {
		m.StateHistory = append(m.StateHistory, &pb.StateTransition{
			From: stateMessage(t.From), To: stateMessage(t.To), Phase: phaseMessage(t.Phase),
			At: timestamp(t.At), Message: t.Message,
		})
	}
	for _, c := range d.Contributors {
		m.Contributors = append(m.Contributors, fmt.Sprintf("%s <%s> (%s)", c.Name, c.Email, c.Role))
	}
}

// addApprovals tells who approved what waits: the deployment, or the rollback
// away from it that the policy gates.
func addApprovals(m *pb.Deployment, state *fsm.State, d *fsm.Deployment) {
	given := d.Approvals
	if env := state.Environment(d.Environment); env != nil && env.Operation != nil {
		if op := env.Operation; op.Gated && op.DeploymentID == d.ID {
			given = op.Approvals
			m.ApprovalReasons = []string{"rollback"}
			m.RequiredApprovers = max(1, fsm.PolicyInForce(state, d.Environment).MinimumApprovers)
		}
	}
	m.Approvals = approvalMessages(given)
	m.ApprovalExpiresAt = timestamp(d.ApprovalExpires())
}

// addNodes tells what each node has done for the deployment: of one under way
// what the operation knows, of the active one who serves it.
func addNodes(m *pb.Deployment, state *fsm.State, d *fsm.Deployment) {
	env := state.Environment(d.Environment)
	if env == nil {
		return
	}
	var participants map[string]fsm.Participant
	if op := env.Operation; op != nil && (op.DeploymentID == d.ID || op.TargetID == d.ID) {
		participants = make(map[string]fsm.Participant, len(op.Participants))
		for _, p := range op.Participants {
			participants[p.NodeID] = p
		}
	} else if env.CurrentID != d.ID && (env.Active == nil || env.Active.DeploymentID != d.ID) {
		return
	}
	for n := range state.Nodes() {
		progress := &pb.NodeProgress{NodeId: n.ID, Unavailable: !n.Available}
		if served, ok := n.Serving(d.Environment); ok {
			progress.ServedIndex = served.Index
		}
		if p, ok := participants[n.ID]; ok {
			progress.Participant, progress.Problems = true, p.Problems
			progress.Staged, progress.Rejected = p.Staged == fsm.AnswerYes, p.Staged == fsm.AnswerNo
			progress.Verified = p.Verified == fsm.AnswerYes
		}
		m.Nodes = append(m.Nodes, progress)
	}
}

func approvalMessages(given []fsm.Approval) []*pb.Approval {
	var out []*pb.Approval
	for _, a := range given {
		out = append(out, &pb.Approval{Approver: a.Approver, At: timestamp(a.At), Comment: a.Comment})
	}
	return out
}
