package fsm_test

import (
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func (l *lab) approve(who, id string) fsm.Result {
	l.t.Helper()
	return l.ask(who, &pb.ApproveCommand{DeploymentId: id})
}

func TestI5NothingBeginsWithoutItsApprovals(t *testing.T) {
	l := newLab(t, environment("production", approvers(2)))
	id := l.commit("production", "c1")
	d := l.is(id, fsm.AwaitingApproval)
	if d.Required != 2 || d.ApprovalReasons[0] != fsm.ReasonPolicy || d.ApprovalExpires() != l.now+24*hour {
		t.Fatalf("the gate is %+v", d)
	}
	l.refused(l.begin("production", id), fsm.ClassPrecondition, "wrong_state")
	l.ok(l.approve("bea", id))
	l.ok(l.approve("bea", id))
	l.ok(l.approve("BEA", id))
	if d := l.is(id, fsm.AwaitingApproval); len(d.Approvals) != 1 {
		t.Fatalf("one approver counts %d times", len(d.Approvals))
	}
	l.ok(l.approve("cyd", id))
	l.is(id, fsm.Pending)
	l.ok(l.approve("bea", id)) // arrived late: it counted already
	l.refused(l.approve("dan", id), fsm.ClassPrecondition, "wrong_state")
	l.run("production", id)
}

func TestI5WhoMayApprove(t *testing.T) {
	with := settings(environment("production", approvers(1)))
	with.Identities = map[string]string{"Gus@Example.org": "corp\\gus"}
	record := func(l *lab) string {
		return l.commit("production", "c1", func(m *pb.CreateDeployment) {
			m.InitiatedBy = "ida"
			m.Contributors = []*pb.ContributorValue{
				{Name: "Ann Author", Email: "ann@example.org", Role: "author"},
				{Name: "Gus", Email: "gus@example.org", Role: "co-author"},
			}
		})
	}
	for who, reason := range map[string]string{
		"ann@example.org": "contributor", "ANN AUTHOR": "contributor", "Ida": "contributor",
		`CORP\gus`: "contributor", "": "no_identity", fsm.Watcher: "no_identity", "bea": "",
	} {
		l := newLab(t)
		l.ok(l.ask("admin", &pb.SetSettings{Settings: with}))
		id := record(l)
		if r := l.approve(who, id); reason != "" {
			l.refused(r, fsm.ClassDenied, reason)
			l.is(id, fsm.AwaitingApproval)
		} else {
			l.ok(r)
		}
	}
}

func TestAuthorMayApproveWherePolicyAllows(t *testing.T) {
	policy := approvers(1)
	policy.ForbidAuthorApproval = false
	l := newLab(t, environment("production", policy))
	id := l.commit("production", "c1", func(m *pb.CreateDeployment) {
		m.Contributors = []*pb.ContributorValue{{Name: "ann", Role: "author"}}
	})
	l.ok(l.approve("ann", id))
	l.is(id, fsm.Pending)
}

func TestI5ApprovalIsBoundToWhatWasSeen(t *testing.T) {
	l := newLab(t, environment("production", approvers(1)))
	id := l.commit("production", "c1")
	d := l.deployment(id)
	for _, m := range []*pb.ApproveCommand{
		{ExpectedCommit: "c0"}, {ExpectedDigest: digestOf("c0")}, {ExpectedPolicyDigest: "00"},
	} {
		m.DeploymentId = id
		l.refused(l.ask("bea", m), fsm.ClassPrecondition, "changed")
	}
	l.ok(l.ask("bea", &pb.ApproveCommand{
		DeploymentId: id, ExpectedCommit: d.Commit, ExpectedDigest: d.Digest, ExpectedPolicyDigest: d.Policy.Digest(),
	}))
}

func TestI5AnotherPolicyVoidsApprovals(t *testing.T) {
	l := newLab(t, environment("production", approvers(2)))
	id := l.commit("production", "c1")
	l.ok(l.approve("bea", id))
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", approvers(1)))}))
	if d := l.is(id, fsm.AwaitingApproval); len(d.Approvals) != 0 || d.Required != 1 {
		t.Fatalf("under the new policy: %d approvals of %d", len(d.Approvals), d.Required)
	}
	l.ok(l.approve("bea", id))
	l.is(id, fsm.Pending)
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", approvers(3)))}))
	l.is(id, fsm.AwaitingApproval)
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", plainPolicy()))}))
	l.is(id, fsm.Pending)
	l.run("production", id)
}

// A change of the policy file is gated by the policy before it.
func TestPolicyInContentComesIntoForceWithIt(t *testing.T) {
	l := newLab(t, environment("production", approvers(1)))
	id := l.commit("production", "c1", func(m *pb.CreateDeployment) { m.NextPolicy = plainPolicy() })
	l.is(id, fsm.AwaitingApproval)
	second := l.commit("production", "c2")
	l.ok(l.approve("bea", second))
	l.is(id, fsm.Superseded)
	l.run("production", second)

	third := l.commit("production", "c3", func(m *pb.CreateDeployment) { m.NextPolicy = plainPolicy() })
	l.ok(l.approve("bea", third))
	l.bring("production", third)
	if fsm.PolicyInForce(l.state, "production").RequiresApproval {
		t.Fatal("the policy of the active content is not in force")
	}
	l.ok(l.finish("production", "a", "b", "c"))
	l.is(l.commit("production", "c4"), fsm.Pending)
}

func TestWhatNeedsApproval(t *testing.T) {
	policy := plainPolicy()
	policy.MinimumRisk, policy.ApproveRewrite, policy.ApproveAfterRollback = pb.RiskValue_RISK_VALUE_HIGH, true, true
	for _, test := range []struct {
		name   string
		alter  func(*pb.CreateDeployment)
		reason string
	}{
		{"medium risk", func(m *pb.CreateDeployment) { m.Risk = pb.RiskValue_RISK_VALUE_MEDIUM }, ""},
		{"a risk that nobody judged", func(m *pb.CreateDeployment) { m.Risk = 0 }, fsm.ReasonRisk},
		{"high risk", func(m *pb.CreateDeployment) { m.Risk = pb.RiskValue_RISK_VALUE_HIGH }, fsm.ReasonRisk},
		{"I13 rewritten", func(m *pb.CreateDeployment) { m.Rewritten = true }, fsm.ReasonRewritten},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, environment("production", policy))
			d := l.deployment(l.commit("production", "c1", test.alter))
			switch {
			case test.reason == "" && d.State != fsm.Pending:
				t.Fatalf("it is %s for %v", d.State, d.ApprovalReasons)
			case test.reason != "" && (d.State != fsm.AwaitingApproval || len(d.ApprovalReasons) != 1 || d.ApprovalReasons[0] != test.reason):
				t.Fatalf("it is %s for %v, want %s", d.State, d.ApprovalReasons, test.reason)
			}
		})
	}
	t.Run("after a rollback, once", func(t *testing.T) {
		l := newLab(t, environment("production", policy))
		l.deploy("production", "c1")
		l.deploy("production", "c2")
		l.ok(l.rollback("production", ""))
		l.run("production", "")
		id := l.commit("production", "c3")
		if d := l.is(id, fsm.AwaitingApproval); d.ApprovalReasons[0] != fsm.ReasonAfterRollback {
			t.Fatalf("it waits for %v", d.ApprovalReasons)
		}
		l.ok(l.approve("bea", id))
		l.run("production", id)
		l.is(l.commit("production", "c4"), fsm.Pending)
	})
}

func TestLiftingTheHoldOfARewrittenBranchApprovesIt(t *testing.T) {
	policy := plainPolicy()
	policy.ApproveRewrite, policy.ForbidAuthorApproval = true, true
	l := newLab(t, environment("production", policy))
	id := l.commit("production", "c1", func(m *pb.CreateDeployment) {
		m.Rewritten, m.Contributors = true, []*pb.ContributorValue{{Name: "ann"}}
	})
	l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
	l.is(id, fsm.AwaitingApproval) // nobody approves one's own work this way
	l.ok(l.ask("bea", &pb.RequestPoll{Environment: "production", LiftHold: true}))
	l.is(id, fsm.Pending)
}

func TestRejectAndApproveRace(t *testing.T) {
	for _, rejectFirst := range []bool{true, false} {
		l := newLab(t, environment("production", approvers(1)))
		id := l.commit("production", "c1")
		approve, reject := &pb.ApproveCommand{DeploymentId: id}, &pb.RejectCommand{DeploymentId: id, Reason: "not today"}
		if rejectFirst {
			l.ok(l.ask("bea", reject))
			l.refused(l.ask("cyd", approve), fsm.ClassPrecondition, "wrong_state")
			if d := l.is(id, fsm.Failed); d.ReasonCode != "rejected" || l.state.Hold("production", d.Digest) == nil {
				t.Fatalf("the record is %+v", d)
			}
			continue
		}
		l.ok(l.ask("cyd", approve))
		l.refused(l.ask("bea", reject), fsm.ClassPrecondition, "wrong_state")
		l.is(id, fsm.Pending)
	}
}

func TestApprovalOfWhatWasRejectedIsNoSuccess(t *testing.T) {
	l := newLab(t, environment("production", approvers(2)))
	id := l.commit("production", "c1")
	l.ok(l.approve("bea", id))
	l.ok(l.ask("cyd", &pb.RejectCommand{DeploymentId: id, Reason: "no"}))
	l.refused(l.approve("bea", id), fsm.ClassPrecondition, "wrong_state")
	l.refused(l.ask("cyd", &pb.RejectCommand{DeploymentId: id, Reason: " "}), fsm.ClassInvalid, "no_reason")
	l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: id}))
	if d := l.is(id, fsm.AwaitingApproval); len(d.Approvals) != 0 {
		t.Fatal("an approval outlived the rejection")
	}
	l.refused(l.approve("ann", id), fsm.ClassDenied, "contributor") // who retries initiates
}

func TestApprovalExpires(t *testing.T) {
	l := newLab(t, environment("production", approvers(1)))
	id := l.commit("production", "c1")
	expire := func() fsm.Result {
		return l.lead(&pb.ExpireApproval{Environment: "production", ExpectedSequence: l.env("production").Sequence, DeploymentId: id})
	}
	l.advance(24*hour - 1)
	l.refused(expire(), fsm.ClassAborted, "not_expired")
	l.newTerm()
	l.advance(1)
	l.ok(expire())
	d := l.is(id, fsm.Failed)
	if d.ReasonCode != "approval_timeout" || l.env("production").Counters.ApprovalTimeouts != 1 || l.state.Hold("production", d.Digest) == nil {
		t.Fatalf("the record is %+v", d)
	}
	l.refused(expire(), fsm.ClassAborted, "not_expired")
}

func TestOverride(t *testing.T) {
	l := newLab(t, environment("production", approvers(2)))
	id := l.commit("production", "c1", func(m *pb.CreateDeployment) { m.InitiatedBy = "admin" })
	l.ok(l.ask("ann", &pb.PauseCommand{Environment: "production", Reason: "freeze"}))
	l.refused(l.ask("admin", &pb.ApproveCommand{DeploymentId: id, Override: true, Reason: " "}), fsm.ClassInvalid, "no_reason")
	l.ok(l.ask("admin", &pb.ApproveCommand{DeploymentId: id, Override: true, Reason: "fire"}))
	if !l.audited("deployment.override", "fire") {
		t.Fatal("the override is not in the audit")
	}
	l.run("production", id)
	l.serves("production", id)
	if l.deployment(id).Overridden {
		t.Fatal("an override counts for one attempt")
	}
	l.refused(l.ask("admin", &pb.ApproveCommand{DeploymentId: id, Override: true, Reason: "again"}), fsm.ClassPrecondition, "wrong_state")
}

// What was approved under the same policy stays approved when a reason goes away.
func TestApprovalsOutliveAReasonThatWentAway(t *testing.T) {
	policy := approvers(1)
	policy.ApproveAfterRollback = true
	l := newLab(t, environment("production", policy))
	l.approved("production", "c1")
	l.approved("production", "c2")
	l.ok(l.rollback("production", ""))
	l.run("production", "")
	third := l.commit("production", "c3")
	l.ok(l.approve("bea", third))
	l.ok(l.begin("production", third))
	fourth := l.commit("production", "c4")
	l.ok(l.approve("bea", fourth))
	l.ok(l.stage("production", "a", "b", "c"))
	l.ok(l.activate("production"))
	if d := l.is(fourth, fsm.Pending); len(d.Approvals) != 1 || len(d.ApprovalReasons) != 1 {
		t.Fatalf("it was approved, and is %+v", d)
	}
}
