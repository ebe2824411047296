package main

import (
	"fmt"
	"io"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func (s *session) printDeployment(d *pb.Deployment) error {
	shown := view.NewDeployment(d)
	return s.print(shown, func(w io.Writer) error {
		fmt.Fprintf(w, "%s: %s%s\n", shown.ID, s.paint(shown.State), because(shown))
		return nil
	})
}

func because(d view.Deployment) string {
	switch {
	case d.ErrorMessage != "":
		return ": " + safe(d.ErrorMessage)
	case d.RolledBackTo != "":
		return " to " + d.RolledBackTo
	case d.SupersededBy != "":
		return " by " + d.SupersededBy
	case d.WaitingFor != "":
		return ": " + safe(d.WaitingFor)
	}
	return ""
}

// deploymentOutcome prints where a deployment stands and turns it into the command's result.
func (s *session) deploymentOutcome(d *pb.Deployment, exitCode, accepted bool) error {
	if err := s.printDeployment(d); err != nil {
		return err
	}
	switch d.GetState() {
	case pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL:
		if !s.structured() {
			fmt.Fprintf(s.err, "%d of %d approvals. Next: honua deployment approve %s\n",
				len(d.GetApprovals()), d.GetRequiredApprovers(), d.GetId())
		}
		if exitCode {
			return errPending
		}
	case pb.DeploymentState_DEPLOYMENT_STATE_FAILED, pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK,
		pb.DeploymentState_DEPLOYMENT_STATE_SUPERSEDED:
		if accepted {
			return nil
		}
		for _, problem := range d.GetProblems() {
			fmt.Fprintf(s.err, "  %s\n", safe(problem))
		}
		return errSaid
	}
	return nil
}

// settled reports that nothing more happens to a deployment by itself for now.
func settled(d *pb.Deployment) bool {
	return ended(d) || waits(d) || d.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL
}

// ended reports that a deployment is in a state that nobody has to do anything about for it to stay there.
func ended(d *pb.Deployment) bool {
	switch d.GetState() {
	case pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED, pb.DeploymentState_DEPLOYMENT_STATE_FAILED,
		pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK, pb.DeploymentState_DEPLOYMENT_STATE_SUPERSEDED:
		return true
	}
	return false
}
