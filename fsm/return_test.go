package fsm_test

import (
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// A branch that is set back to a commit which was deployed before asks for it
// again: its one record begins anew (I12).
func TestBranchComesBackToDeployedCommit(t *testing.T) {
	l := newLab(t)
	one := l.deploy("production", "one")
	two := l.deploy("production", "two")
	l.refused(l.lead(l.creation("production", "two", "two")), fsm.ClassExists, "active")
	again := l.commit("production", "one")
	if again != one {
		t.Fatalf("commit one has the records %s and %s", one, again)
	}
	l.run("production", one)
	l.is(one, fsm.Completed)
	l.is(two, fsm.Completed)
	l.serves("production", one)
	for d := range l.state.Deployments("production") {
		if d.ID != one {
			t.Errorf("the newest is %s", d.ID)
		}
		break
	}
}

// The same for a commit that had given way to another: it now supersedes that one.
func TestBranchComesBackToSupersededCommit(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "zero")
	one := l.commit("production", "one")
	two := l.commit("production", "two")
	l.is(one, fsm.Superseded)
	l.commit("production", "one")
	l.is(two, fsm.Superseded)
	if d := l.is(one, fsm.Pending); d.SupersededBy != "" {
		t.Errorf("it waits and is superseded by %s", d.SupersededBy)
	}
	l.run("production", one)
	l.serves("production", one)
}

// While something else replaces it, what is active does not begin again: if that
// fails, nothing has to be done.
func TestBranchComesBackWhileBeingReplaced(t *testing.T) {
	l := newLab(t)
	one := l.deploy("production", "one")
	two := l.commit("production", "two")
	l.ok(l.begin("production", two))
	l.refused(l.lead(l.creation("production", "one", "one")), fsm.ClassExists, "recorded")
	l.ok(l.stage("production", "a: no", "b", "c"))
	l.is(two, fsm.Failed)
	l.serves("production", one)
}

// What is active and failed its verification is retried, and a newer commit
// supersedes that attempt. It can still be rolled away from.
func TestRollbackFromSupersededRetry(t *testing.T) {
	policy := plainPolicy()
	policy.AutoRollback = false
	l := newLab(t, environment("production", policy))
	one := l.deploy("production", "one")
	two := l.commit("production", "two")
	l.bring("production", two)
	l.ok(l.finish("production", "a: broken", "b", "c"))
	l.is(two, fsm.Failed)
	l.serves("production", two)
	l.ok(l.ask("op", &pb.RetryCommand{DeploymentId: two}))
	l.commit("production", "three")
	l.is(two, fsm.Superseded)
	l.ok(l.ask("op", &pb.RollbackCommand{Environment: "production", Reason: "it is broken"}))
	l.run("production", "")
	l.is(two, fsm.RolledBack)
	l.serves("production", one)
}

// I13: whether a branch was rewritten was asked of the commit that was in step
// then. If another one with the same content is by now, it has to be asked again.
func TestI13ComparedWithAnotherCommit(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "one")
	l.upload("two")
	m := l.creation("production", "two", "two")
	m.PreviousCommit = "one"
	l.poll("production", "one-again", "one")
	l.refused(l.lead(m), fsm.ClassAborted, "stale_base")
	m.PreviousCommit = "one-again"
	l.ok(l.lead(m))
}
