package fsm_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestI16EveryChangeIsOnRecord(t *testing.T) {
	l := newLab(t, environment("production", approvers(1)))
	newest := func() *fsm.AuditRecord {
		for r := range l.state.AuditBack(^uint64(0)) {
			return r
		}
		return nil
	}
	id := l.commit("production", "c1")
	for _, test := range []struct {
		command proto.Message
		action  string
	}{
		{&pb.PauseCommand{Environment: "production", Reason: "r"}, "environment.pause"},
		{&pb.ResumeCommand{Environment: "production"}, "environment.resume"},
		{&pb.PauseCommand{All: true, Reason: "r"}, "cluster.freeze"},
		{&pb.ResumeCommand{All: true}, "cluster.unfreeze"},
		{&pb.RequestPoll{Environment: "production"}, "environment.sync"},
		{&pb.RequestPoll{Environment: "production", LiftHold: true}, "environment.lift_hold"},
		{&pb.ApproveCommand{DeploymentId: id}, "deployment.approve"},
		{&pb.CancelCommand{DeploymentId: id, Reason: "r"}, "deployment.failed"},
		{&pb.RetryCommand{DeploymentId: id}, "deployment.pending"},
		{&pb.RejectCommand{DeploymentId: id, Reason: "r"}, "deployment.reject"},
		{&pb.SetSettings{Settings: settings(environment("production", approvers(1)))}, "settings.set"},
	} {
		from := l.state.Meta().AuditSequence
		l.advance(second)
		l.ok(l.ask("ann", test.command))
		found := 0
		for r := range l.state.Audit(from + 1) {
			if r.Action == test.action {
				found++
			}
			if r.Actor != "ann" || r.Authentication != "token" || r.Source != "192.0.2.7" || r.At != l.now || r.Index != l.index ||
				r.RequestID != fmt.Sprintf("request-%d", l.calls) {
				t.Fatalf("%s is on record as %+v", test.action, r)
			}
		}
		if found != 1 {
			t.Fatalf("%s is on record %d times", test.action, found)
		}
	}
	from := l.state.Meta().AuditSequence
	l.refused(l.ask("ann", &pb.PauseCommand{Environment: "production"}), fsm.ClassInvalid, "no_reason")
	if l.state.Meta().AuditSequence != from {
		t.Fatal("a refused command is on record as a change")
	}
	l.ok(l.lead(&pb.RecordFault{Environment: "production", Code: "damaged_object", Detail: "a path outside"}))
	if r := newest(); r.Action != "fault.damaged_object" || r.Actor != fsm.Watcher || r.Authentication != "system" || r.Source != "a" {
		t.Fatalf("the fault is on record as %+v", r)
	}
	if check := fsm.VerifyAudit(l.state); !check.Intact || check.Head != l.state.Meta().AuditHead {
		t.Fatalf("the chain is %+v", check)
	}
}

func TestI16RetentionKeepsTheChainVerifiable(t *testing.T) {
	l := newLab(t)
	denials := &pb.RecordDenials{NodeId: "a"}
	l.refused(l.ask("", denials), fsm.ClassInvalid, "bad_denials")
	for i := range 100 {
		denials.Denials = append(denials.Denials, &pb.DenialValue{Identity: "eve", Method: fmt.Sprint("m", i), Reason: "role", Count: 3})
	}
	for range 202 {
		l.advance(second)
		l.ok(l.apply(fsm.Header{Proposer: "a", ProposedAt: l.now}, denials))
	}
	check := fsm.VerifyAudit(l.state)
	if !check.Intact || check.Records != 20_000 || check.First < 100 || check.Anchor == [32]byte{} {
		t.Fatalf("the chain is %+v", check)
	}
}
