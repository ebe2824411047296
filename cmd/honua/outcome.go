package main

import (
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// syncResult is what a sync came to.
type syncResult int

const (
	// syncRunning: there is more to come.
	syncRunning syncResult = iota
	// syncDone: the environment serves the newest commit.
	syncDone
	// syncAwaiting: somebody has to approve.
	syncAwaiting
	// syncWaiting: it waits for a window, the end of a pause, or its turn.
	syncWaiting
	// syncFailed: the newest commit cannot be served.
	syncFailed
	// syncHeld: the newest commit is held back.
	syncHeld
	// syncUnread: the repository cannot be read.
	syncUnread
)

// syncOutcome judges an environment after a poll was asked for. It is done when that poll is, and nothing is on its way.
func syncOutcome(e *pb.Environment, polled, asked uint64) (syncResult, string) {
	current, latest := e.GetCurrentDeployment(), e.GetLatestCommit()
	switch {
	case polled < asked:
		return syncRunning, "polling " + e.GetBranch()
	case e.GetPollError() != "":
		return syncUnread, e.GetPollError()
	case e.GetOperation().GetAwaitingApproval():
		return syncAwaiting, fmt.Sprintf("the rollback of %[1]s awaits approval: honua deployment approve %[1]s", e.GetOperation().GetDeploymentId())
	case e.GetOperation() != nil:
		return syncRunning, e.GetOperation().GetKind() + " of " + e.GetOperation().GetDeploymentId()
	case current.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_APPLYING:
		return syncRunning, current.GetId() + " is Applying"
	case latest != "" && current.GetCommit() == latest && current.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_FAILED:
		return currentOutcome(e, current)
	case latest != "" && (latest == e.GetDeployedCommit() || latest == e.GetSyncedCommit()):
		return syncDone, e.GetName() + " serves " + view.Short(latest)
	}
	if current.GetCommit() == latest && latest != "" {
		if result, text := currentOutcome(e, current); result != syncRunning {
			return result, text
		}
	}
	if hold := holdOf(e, latest); hold != nil {
		return syncHeld, fmt.Sprintf("%s is held: %s", view.Short(latest), hold.GetReason())
	}
	return syncRunning, fmt.Sprintf("%s: %s is on its way", e.GetName(), view.Short(latest))
}

// currentOutcome judges by the deployment of the newest commit.
func currentOutcome(e *pb.Environment, current *pb.Deployment) (syncResult, string) {
	switch current.GetState() {
	case pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED:
		return syncDone, e.GetName() + " serves " + view.Short(current.GetCommit())
	case pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL:
		return syncAwaiting, current.GetId() + " awaits approval: honua deployment approve " + current.GetId()
	case pb.DeploymentState_DEPLOYMENT_STATE_PENDING:
		if waits(current) {
			return syncWaiting, current.GetId() + " waits: " + current.GetWaitingFor()
		}
		return syncRunning, current.GetId() + " is Pending" + lastMessage(current)
	case pb.DeploymentState_DEPLOYMENT_STATE_FAILED:
		return syncFailed, current.GetId() + " failed: " + current.GetErrorMessage()
	case pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK:
		return syncHeld, current.GetId() + " was rolled back to " + current.GetRolledBackTo()
	}
	return syncRunning, ""
}

// waits reports whether a deployment is Pending for longer than its turn takes to come.
func waits(d *pb.Deployment) bool { return d.GetWaitingCode() != "" && d.GetWaitingCode() != "turn" }

func lastMessage(d *pb.Deployment) string {
	history := d.GetStateHistory()
	if len(history) == 0 || history[len(history)-1].GetMessage() == "" {
		return ""
	}
	return ": " + history[len(history)-1].GetMessage()
}

// holdOf returns the hold of a commit, nil if it has none.
func holdOf(e *pb.Environment, commit string) *pb.Hold {
	for _, hold := range e.GetHolds() {
		if hold.GetCommit() == commit && commit != "" {
			return hold
		}
	}
	return nil
}

// inFlight reports that a content is on its way into an environment.
func inFlight(e *pb.Environment) bool {
	return e.GetOperation() != nil || e.GetCurrentDeployment().GetState() == pb.DeploymentState_DEPLOYMENT_STATE_APPLYING
}

// holds reports whether an environment has the content of a commit, given by the beginning of its name.
func holds(e *pb.Environment, prefix string) bool {
	prefix = strings.ToLower(prefix)
	return strings.HasPrefix(e.GetDeployedCommit(), prefix) || strings.HasPrefix(e.GetSyncedCommit(), prefix)
}

func stateName(d *pb.Deployment) string {
	if d == nil {
		return "unknown"
	}
	return view.Name(d.GetState())
}
