package fsm_test

import (
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func (l *lab) rollback(env, to string) fsm.Result {
	l.t.Helper()
	return l.ask("ann", &pb.RollbackCommand{Environment: env, ToDeploymentId: to, Reason: "wrong colours"})
}

func TestOperatorRollsBack(t *testing.T) {
	l := newLab(t)
	first, second := l.deploy("production", "c1"), l.deploy("production", "c2")
	if r := l.ok(l.rollback("production", "")); r.DeploymentID != second || r.Message != first {
		t.Fatalf("the result names %s and %s", r.DeploymentID, r.Message)
	}
	if d := l.is(second, fsm.Completed); d.Error != "" {
		t.Fatalf("before anything happened it says %q", d.Error)
	}
	l.run("production", "")
	l.serves("production", first)
	d := l.is(second, fsm.RolledBack)
	if d.RolledBackTo != first || d.Error != "wrong colours" || d.ReasonCode != "rolled_back" {
		t.Fatalf("the record is %+v", d)
	}
	env := l.env("production")
	if env.LastActivation != 3 || !env.AfterRollback || env.Counters.Rollbacks != 1 || env.LastCompletedID != first {
		t.Fatalf("the environment is %+v", env)
	}
	if a := l.state.Activation("production", 3); a.Kind != fsm.Rollback || a.Actor != "ann" || a.Reason != "wrong colours" {
		t.Fatalf("the activation is %+v", a)
	}
	if l.state.Hold("production", d.Digest) == nil {
		t.Fatal("what was rolled away from is not held")
	}
	l.refused(l.lead(l.creation("production", "c3", "c2")), fsm.ClassPrecondition, "held")
}

func TestRollbackPassesPauseAndApproval(t *testing.T) {
	policy := approvers(2)
	l := newLab(t, environment("production", policy))
	first := l.approved("production", "c1")
	l.approved("production", "c2")
	l.ok(l.ask("ann", &pb.PauseCommand{Environment: "production", Reason: "incident"}))
	l.ok(l.ask("ann", &pb.PauseCommand{All: true, Reason: "incident"}))
	l.ok(l.rollback("production", ""))
	l.run("production", "")
	l.serves("production", first)
}

// approved records a commit, approves it as bea and cyd, and deploys it.
func (l *lab) approved(env, commit string) string {
	l.t.Helper()
	id := l.commit(env, commit)
	for _, who := range []string{"bea", "cyd"} {
		if l.deployment(id).State == fsm.AwaitingApproval {
			l.ok(l.ask(who, &pb.ApproveCommand{DeploymentId: id}))
		}
	}
	l.run(env, id)
	l.is(id, fsm.Completed)
	l.advance(minute)
	return id
}

func TestRollbackCancelsWhatIsStaged(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	l.deploy("production", "c2")
	third := l.commit("production", "c3")
	l.ok(l.begin("production", third))
	l.ok(l.rollback("production", ""))
	if d := l.is(third, fsm.Failed); d.ReasonCode != "cancelled" {
		t.Fatalf("it failed with %s", d.ReasonCode)
	}
	l.run("production", "")
	l.serves("production", first)
}

func TestRollbackWhileVerifying(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	second := l.commit("production", "c2")
	l.bring("production", second)
	l.ok(l.rollback("production", ""))
	if d := l.is(second, fsm.Applying); d.Phase != fsm.RollingBack {
		t.Fatalf("its phase is %s", d.Phase)
	}
	l.run("production", "")
	l.serves("production", first)
	l.is(second, fsm.RolledBack)
}

func TestI7RefusedTargets(t *testing.T) {
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()))
	l.refused(l.rollback("production", ""), fsm.ClassPrecondition, "nothing_active")
	first := l.deploy("production", "c1")
	l.refused(l.rollback("production", ""), fsm.ClassPrecondition, "no_target")
	second := l.deploy("production", "c2")
	failed := l.commit("production", "c3")
	l.ok(l.begin("production", failed))
	l.ok(l.stage("production", "a: no"))
	other := l.deploy("staging", "c4")

	l.refused(l.rollback("production", "nonsense"), fsm.ClassNotFound, "unknown_deployment")
	l.refused(l.rollback("production", other), fsm.ClassPrecondition, "other_environment")
	l.refused(l.rollback("production", failed), fsm.ClassPrecondition, "never_completed")
	l.refused(l.rollback("production", second), fsm.ClassPrecondition, "active")
	l.refused(l.rollback("nowhere", ""), fsm.ClassNotFound, "unknown_environment")
	l.refused(l.ask("ann", &pb.RollbackCommand{Environment: "production", Reason: " "}), fsm.ClassInvalid, "no_reason")

	l.ok(l.rollback("production", first))
	l.refused(l.rollback("production", first), fsm.ClassAborted, "busy")
}

func TestI7ContentThatIsNotKeptIsRefused(t *testing.T) {
	l := newLab(t)
	oldest := l.deploy("production", "c0")
	for i := range 12 {
		l.deploy("production", "c1"+string(rune('a'+i)))
	}
	l.refused(l.rollback("production", oldest), fsm.ClassPrecondition, "no_content")
}

func TestRollbackTwiceGoesFurtherBack(t *testing.T) {
	l := newLab(t)
	first, second := l.deploy("production", "c1"), l.deploy("production", "c2")
	l.deploy("production", "c3")
	for _, want := range []string{second, first} {
		l.ok(l.rollback("production", ""))
		l.run("production", "")
		l.serves("production", want)
	}
	l.refused(l.rollback("production", ""), fsm.ClassPrecondition, "no_target")
	// What was rolled away from comes back when it is named.
	l.ok(l.rollback("production", second))
	l.run("production", "")
	l.serves("production", second)
	if d := l.is(second, fsm.Completed); d.RolledBackTo != "" || l.state.Hold("production", d.Digest) != nil {
		t.Fatalf("it is served again, but %+v", d)
	}
	l.is(first, fsm.RolledBack)
}

func TestRollbackThatIsRejectedByANodeChangesNothing(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	second := l.deploy("production", "c2")
	l.ok(l.rollback("production", ""))
	l.ok(l.begin("production", ""))
	l.ok(l.stage("production", "a: the disk is full"))
	l.serves("production", second)
	if d := l.is(second, fsm.Completed); d.Error != "" || d.ReasonCode != "" {
		t.Fatalf("a rollback that did not happen left %q behind", d.Error)
	}
	if env := l.env("production"); env.Operation != nil || env.LastOutcome.OK || env.Health != fsm.Healthy {
		t.Fatalf("the environment is %+v", env)
	}
}

func gatedPolicy() *pb.PolicyValue {
	p := plainPolicy()
	p.RollbackRequiresApproval, p.MinimumApprovers, p.ForbidAuthorApproval = true, 2, true
	p.Canonical = []byte("gated")
	return p
}

func TestGatedRollback(t *testing.T) {
	l := newLab(t, environment("production", gatedPolicy()))
	first, second := l.deploy("production", "c1"), l.deploy("production", "c2")
	l.ok(l.rollback("production", ""))
	l.refused(l.begin("production", ""), fsm.ClassPrecondition, "busy")
	l.refused(l.ask("Ann", &pb.ApproveCommand{DeploymentId: second}), fsm.ClassDenied, "initiator")
	l.refused(l.ask("", &pb.ApproveCommand{DeploymentId: second}), fsm.ClassDenied, "no_identity")
	l.ok(l.ask("bea", &pb.ApproveCommand{DeploymentId: second}))
	l.ok(l.ask("BEA", &pb.ApproveCommand{DeploymentId: second}))
	l.refused(l.begin("production", ""), fsm.ClassPrecondition, "busy")
	l.ok(l.ask("cyd", &pb.ApproveCommand{DeploymentId: second}))
	l.run("production", "")
	l.serves("production", first)
}

func TestGatedRollbackEndsWithoutApproval(t *testing.T) {
	for name, end := range map[string]func(l *lab, id string) fsm.Result{
		"rejected": func(l *lab, id string) fsm.Result {
			return l.ask("bea", &pb.RejectCommand{DeploymentId: id, Reason: "no"})
		},
		"cancelled": func(l *lab, id string) fsm.Result {
			return l.ask("bea", &pb.CancelCommand{DeploymentId: id, Reason: "no"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, environment("production", gatedPolicy()))
			l.deploy("production", "c1")
			second := l.deploy("production", "c2")
			l.ok(l.rollback("production", ""))
			l.ok(end(l, second))
			l.serves("production", second)
			if env := l.env("production"); env.Operation != nil || env.Health != fsm.Healthy {
				t.Fatalf("the environment is %+v", env)
			}
			if d := l.is(second, fsm.Completed); d.Error != "" {
				t.Fatalf("a rollback that did not happen left %q behind", d.Error)
			}
		})
	}
}

func TestOverrideOfAGatedRollback(t *testing.T) {
	l := newLab(t, environment("production", gatedPolicy()))
	first, second := l.deploy("production", "c1"), l.deploy("production", "c2")
	l.ok(l.rollback("production", ""))
	l.refused(l.ask("admin", &pb.ApproveCommand{DeploymentId: second, Override: true}), fsm.ClassInvalid, "no_reason")
	l.ok(l.ask("admin", &pb.ApproveCommand{DeploymentId: second, Override: true, Reason: "nobody else is awake"}))
	l.run("production", "")
	l.serves("production", first)
	if !l.audited("deployment.override", "nobody else is awake") {
		t.Fatal("the override is not in the audit")
	}
}

func (l *lab) audited(action, reason string) bool {
	for r := range l.state.Audit(0) {
		if r.Action == action && r.Reason == reason {
			return true
		}
	}
	return false
}

func TestGatedRollbackWaitsForWhatIsApplied(t *testing.T) {
	l := newLab(t, environment("production", gatedPolicy()))
	l.deploy("production", "c1")
	l.deploy("production", "c2")
	third := l.commit("production", "c3")
	l.ok(l.begin("production", third))
	l.refused(l.rollback("production", ""), fsm.ClassPrecondition, "busy")
	l.is(third, fsm.Applying)
}

// What is on its way cannot be the way back, too.
func TestRollbackAndRetryOfTheSameContent(t *testing.T) {
	later := func(t *testing.T) (l *lab, first, second string) {
		l = newLab(t)
		first, second = l.deploy("production", "c1"), l.deploy("production", "c2")
		l.ok(l.rollback("production", ""))
		l.run("production", "")
		return l, first, second
	}
	retry := func(l *lab, id string) fsm.Result { return l.ask("ann", &pb.RetryCommand{DeploymentId: id}) }

	t.Run("a waiting target is refused", func(t *testing.T) {
		l, first, second := later(t)
		l.ok(retry(l, second))
		l.refused(l.rollback("production", second), fsm.ClassPrecondition, "in_flight")
		l.run("production", second)
		l.serves("production", second)
		l.ok(l.rollback("production", ""))
		l.run("production", "")
		l.serves("production", first)
	})
	t.Run("a staged target is neither chosen nor taken", func(t *testing.T) {
		l, _, second := later(t)
		l.ok(retry(l, second))
		l.ok(l.begin("production", second))
		l.refused(l.rollback("production", second), fsm.ClassPrecondition, "in_flight")
		l.refused(l.rollback("production", ""), fsm.ClassPrecondition, "no_target")
	})
	t.Run("a retry of a target in flight is refused", func(t *testing.T) {
		l, _, second := later(t)
		l.ok(l.rollback("production", second))
		l.refused(retry(l, second), fsm.ClassExists, "in_flight")
		l.run("production", "")
		l.is(second, fsm.Completed)
	})
	t.Run("a superseded target is served as completed", func(t *testing.T) {
		l, first, second := later(t)
		l.ok(l.ask("ann", &pb.PauseCommand{Environment: "production", Reason: "incident"}))
		l.ok(retry(l, second))
		l.advance(minute)
		l.commit("production", "c3")
		l.is(second, fsm.Superseded)
		l.ok(l.rollback("production", second))
		l.run("production", "")
		l.is(second, fsm.Completed)
		l.ok(l.rollback("production", first))
		l.run("production", "")
		l.is(second, fsm.RolledBack)
	})
	t.Run("a failed target is served as completed", func(t *testing.T) {
		l, _, second := later(t)
		l.ok(retry(l, second))
		l.ok(l.ask("ann", &pb.CancelCommand{DeploymentId: second, Reason: "not now"}))
		l.is(second, fsm.Failed)
		l.ok(l.rollback("production", second))
		l.run("production", "")
		if d := l.is(second, fsm.Completed); d.Error != "" {
			t.Fatalf("it is served, and says %q", d.Error)
		}
	})
}

// An unhealthy active content may be tried again; a rollback cancels that first.
func TestRollbackOfWhatWaitsForARetry(t *testing.T) {
	policy := approvers(1)
	policy.AutoRollback = false
	l := newLab(t, environment("production", policy))
	first := l.approved("production", "c1")
	second := l.commit("production", "c2")
	l.ok(l.ask("bea", &pb.ApproveCommand{DeploymentId: second}))
	l.bring("production", second)
	l.ok(l.finish("production", "a: 503"))
	l.is(second, fsm.Failed)
	l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: second}))
	l.is(second, fsm.AwaitingApproval)

	l.ok(l.rollback("production", ""))
	l.is(second, fsm.Failed)
	l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: second}), fsm.ClassExists, "in_flight")
	l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
	l.refused(l.lead(l.creation("production", "c2", "c2")), fsm.ClassExists, "in_flight")
	l.run("production", "")
	l.serves("production", first)
	l.is(second, fsm.RolledBack)
}

// A commit that brings back what is just being rolled away from is not recorded
// only to be held a moment later.
func TestNothingIsRecordedOfWhatIsRolledAwayFrom(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	l.deploy("production", "c2")
	l.ok(l.rollback("production", ""))
	l.refused(l.lead(l.creation("production", "c3", "c2")), fsm.ClassExists, "in_flight")
	l.run("production", "")
	l.refused(l.lead(l.creation("production", "c3", "c2")), fsm.ClassPrecondition, "held")
}
