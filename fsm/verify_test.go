package fsm_test

import (
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestFailedVerificationRollsBack(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	second := l.commit("production", "c2")
	l.bring("production", second)
	l.ok(l.finish("production", "a", "b: cities answers 503"))
	d := l.is(second, fsm.Applying)
	op := l.env("production").Operation
	if d.Phase != fsm.RollingBack || !op.Automatic || op.TargetID != first || op.Phase != fsm.PhaseNone {
		t.Fatalf("the rollback is %+v", op)
	}
	l.run("production", "")
	l.serves("production", first)
	d = l.is(second, fsm.RolledBack)
	if d.ReasonCode != "verification_failed" || d.RolledBackTo != first || !strings.Contains(d.Error, "cities answers 503") {
		t.Fatalf("the record is %+v", d)
	}
	env := l.env("production")
	if env.LastActivation != 3 || env.Counters.Rollbacks != 1 || env.Counters.Failure != 1 || env.Health != fsm.Healthy {
		t.Fatalf("the environment is %+v", env)
	}
	if l.state.Hold("production", d.Digest) == nil {
		t.Fatal("it is not held")
	}
}

func TestFailedVerificationWithoutRollback(t *testing.T) {
	policy := plainPolicy()
	policy.AutoRollback = false
	l := newLab(t, environment("production", policy))
	l.deploy("production", "c1")
	second := l.commit("production", "c2")
	l.bring("production", second)
	l.ok(l.finish("production", "b: 503"))
	l.is(second, fsm.Failed)
	l.serves("production", second)
	if env := l.env("production"); env.Health != fsm.Unhealthy || env.Operation != nil {
		t.Fatalf("the environment is %+v", env)
	}
	// It is unhealthy until something else is activated, whatever nodes say.
	l.observe("b", false)
	l.observe("b", true)
	if got := l.env("production").Health; got != fsm.Unhealthy {
		t.Fatalf("the health became %s by itself", got)
	}
	l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: second}))
	l.run("production", second)
	if got := l.env("production").Health; got != fsm.Healthy {
		t.Fatalf("after a retry it is %s", got)
	}
}

func TestFirstDeploymentHasNothingToRollBackTo(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.bring("production", id)
	l.ok(l.finish("production", "a: 503"))
	l.is(id, fsm.Failed)
	if got := l.env("production").Health; got != fsm.Unhealthy {
		t.Fatalf("the health is %s", got)
	}
}

func TestAutomaticRollbackSkipsWhatIsHeld(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	l.deploy("production", "c2")
	l.ok(l.rollback("production", "")) // c2 is held from here on
	l.run("production", "")
	third := l.commit("production", "c3")
	l.bring("production", third)
	l.ok(l.finish("production", "a: 503"))
	if got := l.env("production").Operation.TargetID; got != first {
		t.Fatalf("it rolls back to %s", got)
	}
}

// An outage that hits deployment and rollback alike must not end in a loop.
func TestRollbackThatFailsVerificationStops(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	second := l.commit("production", "c2")
	l.bring("production", second)
	l.ok(l.finish("production", "a: the database is away"))
	l.bring("production", "")
	l.ok(l.finish("production", "a: the database is away"))
	env := l.env("production")
	if env.Health != fsm.Unhealthy || env.Operation != nil || env.LastActivation != 3 {
		t.Fatalf("the environment is %+v", env)
	}
	l.serves("production", first)
	l.is(second, fsm.RolledBack)
}

func TestRollbackThatCannotBeStagedStops(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	second := l.commit("production", "c2")
	l.bring("production", second)
	l.ok(l.finish("production", "a: 503"))
	l.ok(l.begin("production", ""))
	l.ok(l.stage("production", "b: a file is missing"))
	if d := l.is(second, fsm.Failed); d.ReasonCode != "rollback_failed" {
		t.Fatalf("it failed with %s", d.ReasonCode)
	}
	if env := l.env("production"); env.Health != fsm.Unhealthy || env.Operation != nil {
		t.Fatalf("the environment is %+v", env)
	}
	l.serves("production", second)
}

func TestSilenceAtVerificationDegrades(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.bring("production", id)
	l.ok(l.finish("production", "a", "b"))
	l.is(id, fsm.Applying)
	l.ok(l.finishLate("production"))
	if d := l.is(id, fsm.Completed); d.Health != fsm.Degraded {
		t.Fatalf("its health is %s", d.Health)
	}
	if env := l.env("production"); env.Health != fsm.Degraded || !strings.Contains(env.HealthMessage, "c") {
		t.Fatalf("the environment is %s: %s", env.Health, env.HealthMessage)
	}
	active := l.env("production").Active
	l.ok(l.lead(&pb.ObserveNode{NodeId: "c", Incarnation: "c1", Available: true, Serves: []*pb.ServedValue{{
		Environment: "production", Epoch: active.Epoch, ActivationIndex: active.Index, Digest: active.Digest, Healthy: true,
	}}}))
	if got := l.env("production").Health; got != fsm.Healthy {
		t.Fatalf("the silent node caught up, the environment is %s", got)
	}
}

func TestFailureOfAnUnavailableNodeDoesNotCount(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.bring("production", id)
	l.observe("b", false)
	l.ok(l.finish("production", "a", "b: 503", "c"))
	l.is(id, fsm.Completed)
}

// What breaks after Completed is drift: it degrades, and rolls nothing back.
func TestDriftDegrades(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	id := l.deploy("production", "c2")
	active := l.env("production").Active
	report := func(index uint64, healthy bool) {
		l.ok(l.lead(&pb.ObserveNode{NodeId: "b", Incarnation: "b1", Available: true, Serves: []*pb.ServedValue{{
			Environment: "production", Epoch: active.Epoch, ActivationIndex: index, Digest: active.Digest, Healthy: healthy, Message: "cities.geojson vanished",
		}}}))
	}
	for _, step := range []struct {
		index   uint64
		healthy bool
		want    fsm.Health
	}{{2, false, fsm.Degraded}, {2, true, fsm.Healthy}, {1, false, fsm.Healthy}} { // the last one is an old report
		report(step.index, step.healthy)
		if got := l.env("production").Health; got != step.want {
			t.Fatalf("serving %d, healthy %t: %s, want %s", step.index, step.healthy, got, step.want)
		}
	}
	report(2, false)
	l.is(id, fsm.Completed)
	if env := l.env("production"); env.Operation != nil || env.LastActivation != 2 {
		t.Fatal("drift began something")
	}
	l.ok(l.lead(&pb.ForgetNode{NodeId: "b", Reason: "its disk broke"}))
	if got := l.env("production").Health; got != fsm.Healthy {
		t.Fatalf("the broken node is gone, the environment is %s", got)
	}
	l.ok(l.lead(&pb.RegisterNode{NodeId: "b", Incarnation: "b2", Voter: true}))
	if got := l.env("production").Health; got != fsm.Degraded {
		t.Fatalf("a new node serves nothing yet, the environment is %s", got)
	}
}
