package fsm_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const oldCommit = "def456abc1230000000000000000000000000000"

func oldRecord(id string, state fsm.DeploymentState, alter ...func(*pb.ImportedDeployment)) *pb.ImportedDeployment {
	m := &pb.ImportedDeployment{
		Id: id, Commit: oldCommit, Branch: "main", State: uint32(state), InitiatedBy: "GitWatcher",
		StartedMs: start - hour, CompletedMs: start - hour + 2*second,
	}
	for _, f := range alter {
		f(m)
	}
	return m
}

func importOf(records ...*pb.ImportedDeployment) *pb.ImportHistory {
	return &pb.ImportHistory{Environment: "production", Source: "production.json", SourceDigest: "abc", DeployedCommit: oldCommit, Deployments: records}
}

func ids(l *lab) []string {
	var out []string
	for d := range l.state.Deployments("production") {
		out = append(out, d.ID)
	}
	return out
}

// What is imported is older than everything the cluster did, and changes nothing else.
func TestImportIsHistoryOnly(t *testing.T) {
	l := newLab(t)
	own := l.deploy("production", "c1")
	before := *l.env("production")
	r := l.ok(l.ask("ann", importOf(
		oldRecord("production-20231114-010000", fsm.Completed),
		oldRecord("production-20231113-010000", fsm.Failed, func(m *pb.ImportedDeployment) { m.Error = "Invalid JSON" }),
		oldRecord("production-20231112-010000", fsm.AwaitingApproval),
	)))
	if r.Value != 3 {
		t.Fatalf("%d records are new", r.Value)
	}
	if got := ids(l); !slices.Equal(got, []string{own, "production-20231114-010000", "production-20231113-010000", "production-20231112-010000"}) {
		t.Fatalf("the order is %v", got)
	}
	after := l.env("production")
	if after.Active != before.Active || after.CurrentID != before.CurrentID || after.LastCompletedID != before.LastCompletedID ||
		after.Sequence != before.Sequence || after.Counters != before.Counters || len(after.Waiting) != 0 {
		t.Fatalf("the environment changed: %+v", after)
	}
	for range l.state.Holds("production") {
		t.Fatal("an import holds something")
	}
	completed := l.is("production-20231114-010000", fsm.Completed)
	if completed.InitiatedBy != fsm.Importer || completed.EverCompleted || completed.HasContent || len(completed.Approvals) != 0 ||
		!strings.Contains(completed.History[0].Message, "imported by ann from production.json; initiated by GitWatcher") {
		t.Fatalf("%+v", completed)
	}
	if d := l.is("production-20231112-010000", fsm.Failed); !strings.Contains(d.Error, "AwaitingApproval") {
		t.Fatalf("%+v", d)
	}
	again := l.ok(l.ask("ann", importOf(oldRecord("production-20231114-010000", fsm.Superseded))))
	if again.Value != 0 || l.is("production-20231114-010000", fsm.Completed) == nil {
		t.Fatal("a known record was imported again")
	}
	var actions []string
	for a := range l.state.Audit(0) {
		if strings.Contains(a.Action, "import") {
			actions = append(actions, a.Action+" "+a.Object+" "+a.Actor)
		}
	}
	if len(actions) != 5 || !slices.Contains(actions, "deployment.imported production-20231114-010000 ann") {
		t.Fatalf("the audit has %v", actions)
	}
}

// I5, I7: nothing can be made of an imported record but a history.
func TestImportedRecordsNeverGoOn(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	l.ok(l.ask("ann", importOf(oldRecord("production-20231114-010000", fsm.Completed), oldRecord("production-20231113-010000", fsm.Failed))))
	l.refused(l.ask("ann", &pb.RollbackCommand{Environment: "production", ToDeploymentId: "production-20231114-010000", Reason: "r"}), fsm.ClassPrecondition, "no_content")
	l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: "production-20231113-010000"}), fsm.ClassPrecondition, "no_content")
	l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: "production-20231113-010000", Override: true, Reason: "r"}), fsm.ClassPrecondition, "no_content")
	l.refused(l.ask("ann", &pb.ApproveCommand{DeploymentId: "production-20231113-010000", Override: true, Reason: "r"}), fsm.ClassPrecondition, "wrong_state")
	l.upload("the same commit")
	m := l.creation("production", oldCommit, "the same commit")
	if r := l.ok(l.lead(m)); r.DeploymentID == "production-20231114-010000" {
		t.Fatal("a commit that was imported began the imported record")
	}
}

func TestImportRefusals(t *testing.T) {
	l := newLab(t)
	good := oldRecord("production-20231114-010000", fsm.Completed)
	with := func(f func(*pb.ImportedDeployment)) *pb.ImportHistory {
		return importOf(good, oldRecord("production-20231113-010000", fsm.Completed, f))
	}
	for name, command := range map[string]*pb.ImportHistory{
		"another's id": with(func(m *pb.ImportedDeployment) { m.Id = "staging-20231113-010000" }),
		"a path":       with(func(m *pb.ImportedDeployment) { m.Id = "production-../../x" }),
		"no commit":    with(func(m *pb.ImportedDeployment) { m.Commit = "def456abc123..." }),
		"no state":     with(func(m *pb.ImportedDeployment) { m.State = 0 }),
		"later state":  with(func(m *pb.ImportedDeployment) { m.State = 99 }),
		"a long text":  with(func(m *pb.ImportedDeployment) { m.Message = strings.Repeat("x", 5000) }),
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.refused(l.ask("ann", command), fsm.ClassInvalid, "bad_record")
			if len(ids(l)) != 0 {
				t.Fatal("half of it was imported")
			}
		})
	}
	l.t = t
	l.refused(l.ask("ann", importOf(make([]*pb.ImportedDeployment, 501)...)), fsm.ClassInvalid, "too_many")
	l.refused(l.ask("ann", &pb.ImportHistory{Environment: "moon"}), fsm.ClassNotFound, "unknown_environment")
}

// The history limit keeps the newest, and what the cluster did itself first.
func TestImportLeavesRoom(t *testing.T) {
	l := empty(t)
	s := settings(environment("production", plainPolicy()))
	s.HistoryLimit = 5
	l.ok(l.lead(&pb.InitCluster{ClusterId: "id", Settings: s}))
	for _, id := range []string{"a", "b", "c"} {
		l.ok(l.lead(&pb.RegisterNode{NodeId: id, Incarnation: id + "1", Voter: true}))
	}
	first := l.deploy("production", "c1")
	var records []*pb.ImportedDeployment
	for i := range 10 {
		records = append(records, oldRecord(fmt.Sprintf("production-old-%02d", i), fsm.Completed))
	}
	if r := l.ok(l.ask("ann", importOf(records...))); r.Value != 4 {
		t.Fatalf("%d records are new", r.Value)
	}
	l.deploy("production", "c2")
	if got := ids(l); len(got) != 5 || got[1] != first || got[4] != "production-old-02" {
		t.Fatalf("%v", got)
	}
	var snapshot bytes.Buffer
	if err := fsm.WriteSnapshot(&snapshot, l.state); err != nil {
		t.Fatal(err)
	}
	restored, err := fsm.ReadSnapshot(&snapshot)
	if err != nil || restored.Hash() != l.state.Hash() {
		t.Fatalf("the snapshot of imported records is another state: %v", err)
	}
}
