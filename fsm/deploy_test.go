package fsm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestCommitIsDeployed(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.is(id, fsm.Pending)
	l.ok(l.begin("production", id))
	l.is(id, fsm.Applying)
	if op := l.env("production").Operation; op.Phase != fsm.Staging || len(op.Participants) != 3 {
		t.Fatalf("the operation is %+v", op)
	}
	l.ok(l.stage("production", "a", "b"))
	l.ok(l.stage("production", "c"))
	if got := l.ok(l.activate("production")).Value; got != 1 {
		t.Fatalf("the activation index is %d, want 1", got)
	}
	l.serves("production", id)
	if env := l.env("production"); env.Health != fsm.Progressing || fsm.SyncOf(env) != fsm.Syncing {
		t.Fatalf("while verifying: %s, %s", env.Health, fsm.SyncOf(env))
	}
	l.advance(3 * second)
	l.ok(l.finish("production", "a", "b", "c"))

	d := l.is(id, fsm.Completed)
	if !d.EverCompleted || d.Activation != 1 || d.CompletedAt != l.now || d.Attempts != 1 || d.Health != fsm.Healthy {
		t.Fatalf("the record is %+v", d)
	}
	env := l.env("production")
	if env.Operation != nil || env.LastCompletedID != id || !env.LastOutcome.OK || env.Health != fsm.Healthy {
		t.Fatalf("the environment is %+v", env)
	}
	if env.Counters.Succeeded.SumMs != 3000 {
		t.Fatalf("it took %d ms", env.Counters.Succeeded.SumMs)
	}
	var shown []string
	for _, line := range d.History {
		shown = append(shown, line.To.String()+"/"+line.Phase.String())
	}
	want := "Pending/ Applying/Staging Applying/Activating Applying/Verifying Completed/"
	if got := strings.Join(shown, " "); got != want {
		t.Fatalf("the history is %s\n          want %s", got, want)
	}
}

func TestFailedChecksAreRecordedOnceAndHeld(t *testing.T) {
	l := newLab(t)
	broken := func() *pb.CreateDeployment {
		m := l.creation("production", "c1", "broken")
		m.Problems, m.ReasonCode = []string{"metadata.json:3:1: duplicate id", "second"}, "validation_failed"
		return m
	}
	id := l.ok(l.lead(broken())).DeploymentID
	d := l.is(id, fsm.Failed)
	if d.ReasonCode != "validation_failed" || d.Error != "metadata.json:3:1: duplicate id" || len(d.Problems) != 2 || d.HasContent {
		t.Fatalf("the record is %+v", d)
	}
	if hold := l.state.Hold("production", d.Digest); hold == nil || hold.DeploymentID != id {
		t.Fatalf("the hold is %+v", hold)
	}
	l.refused(l.lead(broken()), fsm.ClassPrecondition, "held")
	l.refused(l.ask("ann", &pb.RetryCommand{DeploymentId: id}), fsm.ClassPrecondition, "no_content")

	l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
	if again := l.ok(l.lead(broken())).DeploymentID; again != id {
		t.Fatalf("I12: reading it again made a second record, %s", again)
	}
	if l.state.Hold("production", d.Digest) == nil {
		t.Fatal("reading it again did not hold it again")
	}
	if l.env("production").Active != nil {
		t.Fatal("a broken content is active")
	}
}

func TestCommitThatCannotBeReadIsHeldByItsID(t *testing.T) {
	l := newLab(t)
	m := l.creation("production", "c1", "")
	m.Digest, m.Problems, m.ReasonCode = "", []string{"a symbolic link"}, "rejected_tree"
	l.ok(l.lead(m))
	m.ExpectedSequence = l.env("production").Sequence
	l.refused(l.lead(m), fsm.ClassPrecondition, "held")
	if l.state.Hold("production", "commit:c1") == nil {
		t.Fatal("it is not held")
	}
	m.Commit, m.ExpectedSequence = "c2", l.env("production").Sequence
	l.ok(l.lead(m))
}

func TestI12OneRecordForEachContent(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	for _, commit := range []string{"c1", "c2"} {
		m := l.creation("production", commit, "c1")
		l.refused(l.lead(m), fsm.ClassExists, "in_flight")
	}
	l.ok(l.begin("production", id))
	l.refused(l.lead(l.creation("production", "c2", "c1")), fsm.ClassExists, "in_flight")
	l.ok(l.stage("production", "a", "b", "c"))
	l.ok(l.activate("production"))
	l.ok(l.finish("production", "a", "b", "c"))
	l.refused(l.lead(l.creation("production", "c2", "c1")), fsm.ClassExists, "active")
	if deployments, _, _ := l.state.Counts(); deployments != 1 {
		t.Fatalf("%d records", deployments)
	}
}

func TestContentHasToBeThere(t *testing.T) {
	l := newLab(t)
	l.refused(l.lead(l.creation("production", "c1", "c1")), fsm.ClassPrecondition, "no_content")
}

func TestIdentifiers(t *testing.T) {
	l := newLab(t, environment("eu-west-1", plainPolicy()), environment("eu-west", plainPolicy()))
	stemOf := stem("eu-west-1", start)
	first := l.commit("eu-west-1", "c1")
	second := l.commit("eu-west-1", "c2")
	third := l.commit("eu-west-1", "c3")
	if got, want := []string{first, second, third}, []string{stemOf, stemOf + "-2", stemOf + "-3"}; !slices.Equal(got, want) {
		t.Fatalf("ids %v, want %v", got, want)
	}
	for _, bad := range []string{"", "eu-west-1-2023", "eu-west-" + "20231114-221320", "other-20231114-221320", stemOf + "-2"} {
		m := l.creation("eu-west-1", "c4", "c1")
		l.upload("c4")
		m.Digest, m.IdStem = digestOf("c4"), bad
		l.refused(l.lead(m), fsm.ClassInvalid, "bad_id")
	}
	// The records of one environment never show among those of another whose
	// name begins alike.
	other := l.commit("eu-west", "c5")
	for d := range l.state.Deployments("eu-west") {
		if d.ID != other {
			t.Fatalf("environment eu-west shows %s", d.ID)
		}
	}
}
