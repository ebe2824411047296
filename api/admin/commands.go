package admin

import (
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// demand is what a command asks of whoever gives it.
type demand struct {
	least Role
	// environment is where; AllEnvironments: in the cluster as a whole.
	environment string
}

// demandOf says which role a command needs, and where. known is false for
// commands that nobody but a node may give.
func demandOf(state *fsm.State, payload *pb.Payload) (d demand, known bool) {
	in := func(least Role, environment string) (demand, bool) { return demand{least, environment}, true }
	everywhere := func() (demand, bool) { return in(Admin, AllEnvironments) }
	about := func(least Role, deployment string) (demand, bool) {
		if found := state.Deployment(deployment); found != nil {
			return in(least, found.Environment)
		}
		return in(least, AllEnvironments) // the state machine refuses what it does not know
	}
	switch c := payload.GetCommand().(type) {
	case *pb.Payload_Approve:
		return about(overrideRole(c.Approve.GetOverride(), Approver), c.Approve.GetDeploymentId())
	case *pb.Payload_Reject:
		return about(Approver, c.Reject.GetDeploymentId())
	case *pb.Payload_Cancel:
		return about(Deployer, c.Cancel.GetDeploymentId())
	case *pb.Payload_Retry:
		return about(overrideRole(c.Retry.GetOverride(), Deployer), c.Retry.GetDeploymentId())
	case *pb.Payload_Rollback:
		return in(Approver, c.Rollback.GetEnvironment())
	case *pb.Payload_RequestPoll:
		if c.RequestPoll.GetLiftHold() {
			return in(Approver, c.RequestPoll.GetEnvironment())
		}
		return in(Deployer, c.RequestPoll.GetEnvironment())
	case *pb.Payload_Pause:
		return scoped(c.Pause.GetAll(), c.Pause.GetEnvironment()), true
	case *pb.Payload_Resume:
		return scoped(c.Resume.GetAll(), c.Resume.GetEnvironment()), true
	case *pb.Payload_ImportHistory:
		return in(Admin, c.ImportHistory.GetEnvironment())
	case *pb.Payload_SetSettings, *pb.Payload_CreateToken, *pb.Payload_RevokeToken, *pb.Payload_RecordAction,
		*pb.Payload_StoreBackup, *pb.Payload_RestoreBackup:
		return everywhere()
	}
	return demand{}, false
}

func overrideRole(override bool, otherwise Role) Role {
	if override {
		return Admin
	}
	return otherwise
}

func scoped(all bool, environment string) demand {
	if all {
		return demand{Admin, AllEnvironments}
	}
	return demand{Deployer, environment}
}

// CheckCommand says whether an identity may give a command; an error says why
// not. The leader asks it of what another node let in.
func CheckCommand(state *fsm.State, identity Identity, payload *pb.Payload) error {
	d, known := demandOf(state, payload)
	if !known {
		return fmt.Errorf("%s cannot give this command: it is for nodes alone", identity.Name)
	}
	environment := d.environment
	if environment == "" {
		environment = AllEnvironments
	}
	if has := identity.RoleIn(environment); has < d.least {
		return fmt.Errorf("%s needs the role %s in environment %s for this, and has %s", identity.Name, d.least, environment, has)
	}
	return nil
}

// CheckNodeCommand says whether a node may give a command on nobody's behalf:
// what only people may decide is theirs, a hint to poll is not.
func CheckNodeCommand(state *fsm.State, payload *pb.Payload) error {
	poll, isPoll := payload.GetCommand().(*pb.Payload_RequestPoll)
	if isPoll && !poll.RequestPoll.GetLiftHold() {
		return nil
	}
	if _, peoples := demandOf(state, payload); peoples {
		return fmt.Errorf("this command needs somebody who gives it")
	}
	return nil
}
