package fsm_test

import (
	"slices"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestNewerSupersedesWhatHasNotBegun(t *testing.T) {
	type step struct {
		// approve the older, the newer
		older, newer bool
		// what becomes of them
		wantOlder, wantNewer fsm.DeploymentState
	}
	for name, test := range map[string]struct {
		policy *pb.PolicyValue
		step
	}{
		"pending gives way":                        {plainPolicy(), step{false, false, fsm.Superseded, fsm.Pending}},
		"awaiting gives way to awaiting":           {approvers(1), step{false, false, fsm.Superseded, fsm.AwaitingApproval}},
		"approved stays before awaiting":           {approvers(1), step{true, false, fsm.Pending, fsm.AwaitingApproval}},
		"approved gives way to approved":           {approvers(1), step{true, true, fsm.Superseded, fsm.Pending}},
		"awaiting gives way to what gets approved": {approvers(1), step{false, true, fsm.Superseded, fsm.Pending}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, environment("production", test.policy))
			older := l.commit("production", "c1")
			if test.older {
				l.ok(l.approve("bea", older))
			}
			newer := l.commit("production", "c2")
			if test.newer {
				l.ok(l.approve("bea", newer))
			}
			d := l.is(older, test.wantOlder)
			l.is(newer, test.wantNewer)
			if test.wantOlder == fsm.Superseded && (d.SupersededBy != newer || !slices.Equal(l.env("production").Waiting, []string{newer})) {
				t.Fatalf("superseded by %q, waiting %v", d.SupersededBy, l.env("production").Waiting)
			}
		})
	}
}

func TestNewestWaitsWhileOneIsApplied(t *testing.T) {
	l := newLab(t)
	first := l.commit("production", "c1")
	l.ok(l.begin("production", first))
	second, third := l.commit("production", "c2"), l.commit("production", "c3")
	l.is(first, fsm.Applying)
	l.is(second, fsm.Superseded)
	l.is(third, fsm.Pending)
}

func TestBranchThatWentBackSupersedesWhatWaits(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	l.poll("production", "c1", "c1")
	l.ok(l.ask("ann", &pb.PauseCommand{Environment: "production", Reason: "freeze"}))
	second := l.commit("production", "c2")
	l.poll("production", "c2", "c2")
	if got := fsm.SyncOf(l.env("production")); got != fsm.OutOfSync {
		t.Fatalf("it is %s", got)
	}
	l.poll("production", "c3", "c1") // a revert
	l.is(second, fsm.Superseded)
	env := l.env("production")
	if len(env.Waiting) != 0 || env.SyncedCommit != "c3" || fsm.SyncOf(env) != fsm.Synced {
		t.Fatalf("the environment is %+v", env)
	}
	l.serves("production", first)
}

// While something else is applied, the active content may be asked for again.
func TestWayBackWhileApplying(t *testing.T) {
	l := newLab(t)
	l.deploy("production", "c1")
	second := l.commit("production", "c2")
	l.ok(l.begin("production", second))
	back := l.ok(l.lead(l.creation("production", "c3", "c1"))).DeploymentID
	l.ok(l.stage("production", "a", "b", "c"))
	l.ok(l.activate("production"))
	l.ok(l.finish("production", "a", "b", "c"))
	l.run("production", back)
	l.serves("production", back)
}

func TestHeldContentNeverComesBackByItself(t *testing.T) {
	fail := func(l *lab) string {
		id := l.commit("production", "c1")
		l.ok(l.begin("production", id))
		l.ok(l.stage("production", "a: no"))
		return id
	}
	t.Run("polling and unrelated commits", func(t *testing.T) {
		l := newLab(t)
		id := fail(l)
		for _, commit := range []string{"c1", "c2"} {
			l.poll("production", commit, "c1")
			l.refused(l.lead(l.creation("production", commit, "c1")), fsm.ClassPrecondition, "held")
		}
		l.is(id, fsm.Failed)
		if env := l.env("production"); env.LatestCommit != "c2" || fsm.SyncOf(env) != fsm.OutOfSync {
			t.Fatalf("the environment is %+v", env)
		}
		l.newTerm()
		l.refused(l.lead(l.creation("production", "c3", "c1")), fsm.ClassPrecondition, "held")
	})
	t.Run("retry lifts it", func(t *testing.T) {
		l := newLab(t)
		id := fail(l)
		l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: id}))
		d := l.is(id, fsm.Pending)
		if d.Error != "" || d.InitiatedBy != "ann" || l.state.Hold("production", d.Digest) != nil {
			t.Fatalf("the record is %+v", d)
		}
		l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id}), fsm.ClassPrecondition, "wrong_state")
		l.run("production", id)
		if d := l.is(id, fsm.Completed); d.Attempts != 2 {
			t.Fatalf("%d attempts", d.Attempts)
		}
		l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id}), fsm.ClassPrecondition, "wrong_state")
	})
	t.Run("lift-hold lifts it for the next poll", func(t *testing.T) {
		l := newLab(t)
		id := fail(l)
		if r := l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true})); r.Value != 1 {
			t.Fatalf("the generation is %d", r.Value)
		}
		l.ok(l.lead(l.creation("production", "c1", "c1")))
		l.is(id, fsm.Pending)
	})
	t.Run("a hold is one environment's", func(t *testing.T) {
		l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()))
		fail(l)
		l.ok(l.lead(l.creation("staging", "c1", "c1")))
	})
}

func TestCancel(t *testing.T) {
	l := newLab(t)
	cancel := func(id, reason string) fsm.Result {
		return l.ask("ann", &pb.CancelCommand{DeploymentId: id, Reason: reason})
	}
	l.refused(cancel("nonsense", "why not"), fsm.ClassNotFound, "unknown_deployment")

	waiting := l.commit("production", "c1")
	l.refused(cancel(waiting, " "), fsm.ClassInvalid, "no_reason")
	l.ok(cancel(waiting, "not today"))
	if d := l.is(waiting, fsm.Failed); d.ReasonCode != "cancelled" {
		t.Fatalf("it failed with %s", d.ReasonCode)
	}
	l.refused(cancel(waiting, "again"), fsm.ClassPrecondition, "wrong_state")

	staging := l.commit("production", "c2")
	l.ok(l.begin("production", staging))
	l.ok(cancel(staging, "not today"))
	l.is(staging, fsm.Failed)
	if env := l.env("production"); env.Operation != nil || env.Active != nil {
		t.Fatalf("the environment is %+v", env)
	}
	active := l.commit("production", "c3")
	l.bring("production", active)
	l.refused(cancel(active, "too late"), fsm.ClassPrecondition, "active")
}

func TestPauseAndFreeze(t *testing.T) {
	for name, all := range map[string]bool{"pause": false, "freeze": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			id := l.commit("production", "c1")
			pause := &pb.PauseCommand{Environment: "production", All: all, Reason: "incident", UntilMs: l.now + hour}
			l.ok(l.ask("ann", pause))
			l.refused(l.begin("production", id), fsm.ClassPrecondition, "paused")
			expire := &pb.ExpirePause{Environment: "production"}
			if all {
				expire.Environment = ""
			}
			l.refused(l.lead(expire), fsm.ClassAborted, "not_expired")
			l.advance(hour)
			l.ok(l.lead(expire))
			l.refused(l.lead(expire), fsm.ClassAborted, "not_expired")
			pause.UntilMs = 0
			l.ok(l.ask("ann", pause))
			l.refused(l.lead(expire), fsm.ClassAborted, "not_expired")
			l.ok(l.ask("bea", &pb.ResumeCommand{Environment: "production", All: all}))
			l.ok(l.ask("bea", &pb.ResumeCommand{Environment: "production", All: all}))
			l.run("production", id)
		})
	}
	l := newLab(t)
	l.refused(l.ask("ann", &pb.PauseCommand{Environment: "production"}), fsm.ClassInvalid, "no_reason")
	l.refused(l.ask("ann", &pb.PauseCommand{Environment: "production", Reason: "r", UntilMs: l.now}), fsm.ClassInvalid, "until_past")
	l.refused(l.ask("ann", &pb.PauseCommand{Environment: "x", Reason: "r"}), fsm.ClassNotFound, "unknown_environment")
	l.refused(l.ask("ann", &pb.ResumeCommand{Environment: "x"}), fsm.ClassNotFound, "unknown_environment")
	l.refused(l.lead(&pb.ExpirePause{Environment: "x"}), fsm.ClassNotFound, "unknown_environment")
}

func TestPauseDoesNotStopWhatIsApplied(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.ok(l.begin("production", id))
	l.ok(l.ask("ann", &pb.PauseCommand{Environment: "production", Reason: "incident"}))
	l.ok(l.stage("production", "a", "b", "c"))
	l.ok(l.activate("production"))
	l.ok(l.finish("production", "a", "b", "c"))
	l.is(id, fsm.Completed)
}

func TestRetryWithOverridePassesAPause(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.ok(l.ask("ann", &pb.PauseCommand{All: true, Reason: "incident"}))
	l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id, Override: true}), fsm.ClassInvalid, "no_reason")
	l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: id, Override: true, Reason: "it is the fix"}))
	l.run("production", id)
	if !l.audited("deployment.override", "it is the fix") {
		t.Fatal("the override is not in the audit")
	}
}

func TestPolls(t *testing.T) {
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()),
		&pb.EnvironmentValue{Name: "development", Branch: "dev", Policy: plainPolicy()})
	r := l.ok(l.ask("hook", &pb.RequestPoll{Branch: "main"}))
	if r.Value != 1 || l.env("production").PollRequested != 1 || l.env("development").PollRequested != 0 {
		t.Fatal("the hint is not the branch's")
	}
	l.refused(l.ask("hook", &pb.RequestPoll{Branch: "gone"}), fsm.ClassNotFound, "unknown_branch")
	l.refused(l.ask("hook", &pb.RequestPoll{Environment: "gone"}), fsm.ClassNotFound, "unknown_environment")
	l.advance(second)
	l.ok(l.lead(&pb.ObservePoll{Branch: "main", Head: "c1", Generation: 1, NextPollMs: l.now + 5, Findings: []*pb.PollFinding{
		{Environment: "production", Commit: "c1", ErrorCode: "unavailable", Error: "connection reset"},
	}}))
	if env := l.env("staging"); env.LastPoll != l.now || env.PollDone != 1 || env.PollErrorCode != "" {
		t.Fatalf("staging is %+v", env)
	}
	if env := l.env("production"); env.LastPoll != 0 || env.PollErrorCode != "unavailable" {
		t.Fatalf("production is %+v", env)
	}
	// I17: a failed poll changes nothing but what it says of itself.
	before := *l.env("staging")
	l.ok(l.lead(&pb.ObservePoll{Branch: "main", ErrorCode: "unavailable", Error: "no route"}))
	if env := l.env("staging"); env.LatestCommit != before.LatestCommit || env.LastPoll != before.LastPoll || env.PollErrorCode != "unavailable" {
		t.Fatalf("staging is %+v", env)
	}
}
