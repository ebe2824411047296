package admin

import (
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// environmentMessage is an environment as the API shows it.
func environmentMessage(state *fsm.State, e *fsm.Environment) *pb.Environment {
	m := &pb.Environment{
		Name: e.Name, Branch: e.Branch, LatestCommit: e.LatestCommit, SyncedCommit: e.SyncedCommit,
		LastSuccessfulDeploymentId: e.LastCompletedID,
		CurrentDeployment:          deploymentMessage(state, state.Deployment(e.CurrentID)),
		Health:                     healthMessage(e.Health), HealthMessage: e.HealthMessage,
		SyncStatus: syncMessage(fsm.SyncOf(e)), LastUpdated: timestamp(e.LastPoll),
		Pause: pauseMessage(e.Pause), Sequence: e.Sequence,
		Reconciliations: e.Counters.Total, ReconciliationFailures: e.Counters.Failure,
		PolicyDigest: fsm.PolicyInForce(state, e.Name).Digest(), PollError: e.PollError,
	}
	m.Operation, m.LastOutcome = operationMessage(e.Operation), outcomeMessage(e.LastOutcome)
	if a := e.Active; a != nil {
		m.DeployedCommit, m.ActiveDigest = a.Commit, a.Digest
		m.ActivationIndex, m.ActiveDeploymentId = a.Index, a.DeploymentID
	}
	for h := range state.Holds(e.Name) {
		m.Holds = append(m.Holds, &pb.Hold{
			Digest: h.Digest, Commit: h.Commit, Reason: h.Reason, DeploymentId: h.DeploymentID, Since: timestamp(h.Since),
		})
	}
	for n := range state.Nodes() {
		m.ServedBy = append(m.ServedBy, servedBy(n, e.Name))
	}
	return m
}

// servedBy is what a node is known to serve of an environment.
func servedBy(n *fsm.Node, environment string) *pb.ServedBy {
	m := &pb.ServedBy{NodeId: n.ID, Available: n.Available, Environment: environment}
	if served, ok := n.Serving(environment); ok {
		m.ActivationIndex, m.Digest, m.Message = served.Index, served.Digest, served.Message
	}
	return m
}

func pauseMessage(p *fsm.Pause) *pb.Pause {
	if p == nil {
		return nil
	}
	return &pb.Pause{Reason: p.Reason, Actor: p.Actor, Since: timestamp(p.Since), Until: timestamp(p.Until)}
}

func activationMessage(a *fsm.Activation) *pb.Activation {
	return &pb.Activation{
		Index: a.Index, Epoch: a.Epoch, Kind: a.Kind.String(), DeploymentId: a.DeploymentID,
		Commit: a.Commit, Digest: a.Digest, At: timestamp(a.At), Reason: a.Reason, Actor: a.Actor,
	}
}

// operationMessage is what is on its way onto the nodes; nil if nothing is.
func operationMessage(op *fsm.Operation) *pb.Operation {
	if op == nil {
		return nil
	}
	return &pb.Operation{
		Id: op.ID, Kind: op.Kind.String(), DeploymentId: op.DeploymentID, TargetId: op.TargetID,
		Phase: phaseMessage(op.Phase), AwaitingApproval: op.Gated, Approvals: approvalMessages(op.Approvals),
		Automatic: op.Automatic, Actor: op.Actor, Reason: op.Reason,
		BegunAt: timestamp(op.Begun), Deadline: timestamp(op.Deadline),
	}
}

func outcomeMessage(o *fsm.Outcome) *pb.Outcome {
	if o == nil {
		return nil
	}
	return &pb.Outcome{
		OperationId: o.Operation, Kind: o.Kind.String(), DeploymentId: o.DeploymentID, TargetId: o.TargetID,
		Ok: o.OK, Message: o.Message, At: timestamp(o.At),
	}
}
