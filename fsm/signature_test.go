package fsm_test

import (
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func signedOnly(mode string) *pb.EnvironmentValue {
	e := environment("production", plainPolicy())
	e.Verification = &pb.VerificationValue{Mode: mode}
	return e
}

func withSignature(status string) func(*pb.CreateDeployment) {
	return func(m *pb.CreateDeployment) {
		m.Signature = &pb.SignatureValue{Status: status, Commit: m.GetCommit(), Signer: "grace@example.com", Key: "SHA256:x", Detail: "why"}
	}
}

// Whatever a leader says: where signatures are required, nothing without a good one is recorded as deployable.
func TestRequiredSignatures(t *testing.T) {
	l := newLab(t, signedOnly("required"))
	for commit, alter := range map[string]func(*pb.CreateDeployment){
		"c1": func(*pb.CreateDeployment) {}, "c2": withSignature("unsigned"), "c3": withSignature("expired"),
	} {
		l.upload(commit)
		m := l.creation("production", commit, commit)
		alter(m)
		l.refused(l.lead(m), fsm.ClassPrecondition, "verification_required")
	}
	d := l.deployment(l.commit("production", "c4", withSignature("good")))
	if d.Signature.Signer != "grace@example.com" || d.Signature.Key != "SHA256:x" {
		t.Errorf("%+v", d.Signature)
	}
	audited := false
	for r := range l.state.Audit(0) {
		audited = audited || strings.Contains(r.Detail, "signed by grace@example.com (SHA256:x)")
	}
	if !audited {
		t.Error("the signer is not in the audit")
	}
	l.run("production", d.ID)
}

// Warnings let everything in and keep what was found.
func TestSignaturesThatOnlyWarn(t *testing.T) {
	l := newLab(t, signedOnly("warn"))
	if d := l.is(l.commit("production", "c1", withSignature("unsigned")), fsm.Pending); d.Signature.Status != "unsigned" {
		t.Errorf("%+v", d.Signature)
	}
	l.refused(l.ask("ann", &pb.SetSettings{Settings: settings(signedOnly("perhaps"))}), fsm.ClassInvalid, "bad_verification")
}

// What waits when signatures become required does not slip through, nor does what failed before.
func TestSignaturesBecomeRequired(t *testing.T) {
	l := newLab(t, signedOnly("none"))
	old := l.commit("production", "c1")
	l.ok(l.ask("ann", &pb.CancelCommand{DeploymentId: old, Reason: "later"}))
	waiting := l.commit("production", "c2")
	l.ok(l.ask("ann", &pb.SetSettings{Settings: settings(signedOnly("required")), Reason: "policy"}))
	if d := l.is(waiting, fsm.Failed); d.ReasonCode != "verification_required" {
		t.Errorf("%s", d.ReasonCode)
	}
	for _, id := range []string{old, waiting} {
		l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id}), fsm.ClassPrecondition, "verification_required")
		l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id, Override: true, Reason: "now"}), fsm.ClassPrecondition, "verification_required")
	}
}

// unsignedCreation is a commit that was read and is refused for its signature.
func (l *lab) unsignedCreation(commit, text string) *pb.CreateDeployment {
	m := l.creation("production", commit, text)
	withSignature("unsigned")(m)
	m.Problems, m.ReasonCode = []string{"commit " + commit + " is not signed"}, "signature_unsigned"
	return m
}

// I12: a commit that is refused for its signature has the record that it has when it is let in later. It is held by
// itself: the same content under a commit that is signed goes on.
func TestI12RefusedSignatureIsTheSameRecord(t *testing.T) {
	l := newLab(t, signedOnly("required"))
	id := l.ok(l.lead(l.unsignedCreation("c1", "one"))).DeploymentID
	d := l.is(id, fsm.Failed)
	if d.Digest == "" || d.ReasonCode != "signature_unsigned" || l.state.Hold("production", "commit:c1") == nil || l.state.Hold("production", d.Digest) != nil {
		t.Fatalf("%+v", d)
	}
	l.refused(l.lead(l.unsignedCreation("c1", "one")), fsm.ClassPrecondition, "held")
	l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id}), fsm.ClassPrecondition, "no_content")
	l.upload("one")
	other := l.creation("production", "c2", "one")
	withSignature("good")(other)
	l.run("production", l.ok(l.lead(other)).DeploymentID)

	l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
	l.ok(l.lead(l.unsignedCreation("c1", "two"))) // keys that still do not know the signer
	second := l.state.DeploymentByContent("production", "c1", digestOf("two"))
	l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
	l.upload("two")
	good := l.creation("production", "c1", "two")
	withSignature("good")(good)
	if got := l.ok(l.lead(good)).DeploymentID; got != second.ID {
		t.Fatalf("%s is a second record beside %s", got, second.ID)
	}
	l.run("production", second.ID)
	if n := len(l.state.Deployment(second.ID).Problems); n != 0 {
		t.Errorf("%d problems are left", n)
	}
}

// A branch that goes back to a commit which completed when nothing was verified: it is refused on its old record, once.
func TestI12CommitThatCompletedIsRefusedLater(t *testing.T) {
	l := newLab(t, signedOnly("none"))
	first := l.deploy("production", "c1")
	l.deploy("production", "c2")
	l.ok(l.ask("ann", &pb.SetSettings{Settings: settings(signedOnly("required")), Reason: "policy"}))
	if got := l.ok(l.lead(l.unsignedCreation("c1", "c1"))).DeploymentID; got != first {
		t.Fatalf("%s is a second record beside %s", got, first)
	}
	if d := l.is(first, fsm.Completed); d.ReasonCode != "signature_unsigned" || l.state.Hold("production", "commit:c1") == nil {
		t.Errorf("%+v", d)
	}
	l.refused(l.lead(l.unsignedCreation("c1", "c1")), fsm.ClassPrecondition, "held")
	l.refused(l.lead(l.unsignedCreation("c2", "c2")), fsm.ClassExists, "recorded") // what is active stays what it is
	l.ok(l.ask("ann", &pb.RollbackCommand{Environment: "production", ToDeploymentId: first, Reason: "it was better"}))
	l.run("production", "")
	if l.state.Hold("production", "commit:c1") != nil {
		t.Error("what is served by a rollback is held")
	}
}

// With a history that is too long nobody is known not to have contributed: nobody approves, an admin overrides (I5).
func TestContributorsUnknown(t *testing.T) {
	l := newLab(t, environment("production", approvers(1)))
	id := l.commit("production", "c1", func(m *pb.CreateDeployment) { m.ContributorsUnknown = true })
	l.refused(l.approve("bea", id), fsm.ClassDenied, "contributors_unknown")
	l.is(id, fsm.AwaitingApproval)
	l.ok(l.ask("root", &pb.ApproveCommand{DeploymentId: id, Override: true, Reason: "read it all"}))
	l.is(id, fsm.Pending)

	open := approvers(1)
	open.ForbidAuthorApproval = false
	l = newLab(t, environment("production", open))
	id = l.commit("production", "c1", func(m *pb.CreateDeployment) { m.ContributorsUnknown = true })
	l.ok(l.approve("bea", id))
	l.is(id, fsm.Pending)
}
