package admin

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// everyPayload is an empty command of each kind, by its field's name.
func everyPayload() map[protoreflect.Name]*pb.Payload {
	all := map[protoreflect.Name]*pb.Payload{}
	fields := (&pb.Payload{}).ProtoReflect().Descriptor().Oneofs().ByName("command").Fields()
	for i := range fields.Len() {
		p := &pb.Payload{}
		field := fields.Get(i)
		p.ProtoReflect().Set(field, p.ProtoReflect().NewField(field))
		all[field.Name()] = p
	}
	return all
}

// nodesAlone are the commands that nobody gives but nodes: a new command is
// either here or in demandOf.
var nodesAlone = map[protoreflect.Name]bool{
	"observe_poll": true, "upload_chunk": true, "create_deployment": true, "begin_staging": true, "record_staging": true,
	"activate": true, "finish_deployment": true, "expire_approval": true, "observe_node": true, "register_node": true,
	"forget_node": true, "init_cluster": true, "expire_pause": true, "record_denials": true, "record_fault": true, "raise_format": true,
}

func TestEveryCommandHasARole(t *testing.T) {
	state := admintest.New(t).Store().State()
	admin := Identity{Name: "root", Authentication: "token", Roles: map[string]Role{AllEnvironments: Admin}}
	viewer := Identity{Name: "val", Authentication: "token", Roles: map[string]Role{AllEnvironments: Viewer}}
	for name, payload := range everyPayload() {
		if _, known := demandOf(state, payload); known == nodesAlone[name] {
			t.Errorf("%s: say who may give it, in demandOf or in nodesAlone", name)
		}
		if err := CheckCommand(state, admin, payload); (err == nil) == nodesAlone[name] {
			t.Errorf("%s by an admin: %v", name, err)
		}
		if err := CheckCommand(state, viewer, payload); err == nil {
			t.Errorf("%s by a viewer is let in", name)
		}
		hint := name == "request_poll"
		if err := CheckNodeCommand(state, payload); (err == nil) != (hint || nodesAlone[name]) {
			t.Errorf("%s by a node on nobody's behalf: %v", name, err)
		}
	}
}

// The role is looked at in the environment that a command is about.
func TestCommandsByEnvironment(t *testing.T) {
	node := admintest.New(t)
	id := node.Create("production", "roads")
	state := node.Store().State()
	in := func(environment string, role Role) Identity {
		return Identity{Name: "eve", Authentication: "certificate", Roles: map[string]Role{environment: role}}
	}
	approve := func(override bool) *pb.Payload {
		return &pb.Payload{Command: &pb.Payload_Approve{Approve: &pb.ApproveCommand{DeploymentId: id, Override: override}}}
	}
	lift := &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "production", LiftHold: true}}}
	freeze := &pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{All: true}}}
	for name, test := range map[string]struct {
		who     Identity
		payload *pb.Payload
		ok      bool
	}{
		"approver there":        {in("production", Approver), approve(false), true},
		"approver elsewhere":    {in("development", Approver), approve(false), false},
		"deployer there":        {in("production", Deployer), approve(false), false},
		"approver overrides":    {in("production", Approver), approve(true), false},
		"admin there overrides": {in("production", Admin), approve(true), true},
		"deployer lifts holds":  {in("production", Deployer), lift, false},
		"approver lifts holds":  {in("production", Approver), lift, true},
		"admin there freezes":   {in("production", Admin), freeze, false},
		"admin freezes":         {in(AllEnvironments, Admin), freeze, true},
	} {
		if err := CheckCommand(state, test.who, test.payload); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckNodeCommand(state, lift); err == nil {
		t.Error("a node lifts holds on nobody's behalf")
	}
}
