package admin

import (
	"cmp"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// planned returns the deployment whose plan is asked for. For an environment
// that is what waits or is under way, else what Git's head came to; nil says
// that the head is what is deployed, so that there is nothing to change.
func planned(state *fsm.State, id, environment string) (*fsm.Deployment, error) {
	if id != "" {
		d, err := findDeployment(state, id)
		if err == nil && environment != "" && d.Environment != environment {
			return nil, &problem{failure: NotFound, reason: "other_environment", message: "deployment " + id + " is of environment " + d.Environment}
		}
		return d, err
	}
	e, err := findEnvironment(state, environment)
	if err != nil {
		return nil, err
	}
	if d := onItsWay(state, e); d != nil {
		return d, nil
	}
	d := headDeployment(state, e)
	if a := e.Active; a != nil && (e.LatestCommit == a.Commit || e.LatestCommit == e.SyncedCommit || d != nil && d.ID == a.DeploymentID) {
		return nil, nil
	}
	if d != nil {
		return d, nil
	}
	return nil, &problem{failure: NotFound, reason: "no_deployment", message: "environment " + environment + " has no deployment yet"}
}

// onItsWay is the newest deployment that waits, else the one under way. A
// rollback is not one: its content was planned when it was deployed.
func onItsWay(state *fsm.State, e *fsm.Environment) *fsm.Deployment {
	if n := len(e.Waiting); n > 0 {
		if d := state.Deployment(e.Waiting[n-1]); d != nil {
			return d
		}
	}
	if op := e.Operation; op != nil && op.TargetID == op.DeploymentID {
		return state.Deployment(op.DeploymentID)
	}
	return nil
}

// headDeployment is the record of Git's head: its own, that of the held content
// which it has, or the newest there is.
func headDeployment(state *fsm.State, e *fsm.Environment) *fsm.Deployment {
	if d := state.DeploymentByContent(e.Name, e.LatestCommit, e.LatestDigest); d != nil {
		return d
	}
	if hold := state.Hold(e.Name, e.LatestDigest); hold != nil {
		if d := state.Deployment(hold.DeploymentID); d != nil {
			return d
		}
	}
	for d := range state.Deployments(e.Name) {
		return d
	}
	return nil
}

// nothingPlanned is the plan of a head that is deployed already.
func nothingPlanned(e *fsm.Environment) *pb.Plan {
	return &pb.Plan{
		Environment: e.Name, FromCommit: e.Active.Commit, ToCommit: cmp.Or(e.LatestCommit, e.Active.Commit),
		Risk: pb.RiskLevel_RISK_LEVEL_LOW,
	}
}
