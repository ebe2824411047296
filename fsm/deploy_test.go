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

// refusedTree is a commit that the limits of now do not let in: nobody knows what it holds.
func (l *lab) refusedTree(commit string) *pb.CreateDeployment {
	m := l.creation("production", commit, "")
	m.Digest, m.Problems, m.ReasonCode = "", []string{"metadata.json: is larger than 10 bytes"}, "rejected_tree"
	return m
}

// I12: a commit that could not be read has one record, whatever it holds once it can be read.
func TestI12CommitThatCanBeReadLater(t *testing.T) {
	for _, broken := range []bool{false, true} {
		l := newLab(t)
		id := l.ok(l.lead(l.refusedTree("c1"))).DeploymentID
		l.is(id, fsm.Failed)
		l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
		if again := l.ok(l.lead(l.refusedTree("c1"))).DeploymentID; again != id {
			t.Fatalf("%s is a second record beside %s", again, id)
		}
		l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
		l.upload("one")
		m := l.creation("production", "c1", "one")
		if broken {
			m.Problems, m.ReasonCode = []string{"no JSON"}, "validation_failed"
			if got := l.ok(l.lead(m)).DeploymentID; got != id || l.state.Hold("production", m.Digest) == nil {
				t.Fatalf("%s beside %s", got, id)
			}
			l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production", LiftHold: true}))
			m.Problems, m.ReasonCode, m.ExpectedSequence = nil, "", l.env("production").Sequence
		}
		if got := l.ok(l.lead(m)).DeploymentID; got != id {
			t.Fatalf("%s is a second record beside %s", got, id)
		}
		l.run("production", id)
		l.serves("production", id)
		if d := l.is(id, fsm.Completed); d.Digest != digestOf("one") || d.Error != "" || len(d.Problems) != 0 {
			t.Errorf("%+v", d)
		}
		if all, _, _ := l.state.Counts(); all != 1 || l.state.DeploymentByContent("production", "c1", "") == nil {
			t.Errorf("%d records", all)
		}
	}
}

// I12: a commit that could be read once, and cannot by the limits of now, is refused on the record that it has, which
// still says what it holds. It is held by itself.
func TestI12CommitThatCannotBeReadAnyMore(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	l.refused(l.lead(l.refusedTree("c1")), fsm.ClassExists, "recorded") // what is active stays what it is
	l.deploy("production", "c2")
	if got := l.ok(l.lead(l.refusedTree("c1"))).DeploymentID; got != first {
		t.Fatalf("%s is a second record beside %s", got, first)
	}
	d := l.is(first, fsm.Completed)
	if d.ReasonCode != "rejected_tree" || d.Digest != digestOf("c1") || d.Branch != "main" || l.state.Hold("production", "commit:c1") == nil || l.state.Hold("production", d.Digest) != nil {
		t.Errorf("%+v", d)
	}
	l.refused(l.lead(l.refusedTree("c1")), fsm.ClassPrecondition, "held")
	l.ok(l.ask("ann", &pb.RollbackCommand{Environment: "production", ToDeploymentId: first, Reason: "it was better"}))
	l.run("production", "")
	l.serves("production", first)
	if l.state.Hold("production", "commit:c1") != nil {
		t.Error("what is served by a rollback is held")
	}
	waiting := l.commit("production", "c3")
	l.refused(l.lead(l.refusedTree("c3")), fsm.ClassExists, "recorded")
	l.is(waiting, fsm.Pending)
	if all, _, _ := l.state.Counts(); all != 3 {
		t.Errorf("%d records", all)
	}
}

// I12: a content that was superseded and fails the checks of now is refused on the record that it has: a leader that
// was refused here would ask again for ever.
func TestI12SupersededContentThatFailsItsChecks(t *testing.T) {
	l := newLab(t)
	first := l.commit("production", "c1")
	l.deploy("production", "c2")
	l.is(first, fsm.Superseded)
	m := l.creation("production", "c1", "c1")
	m.Problems, m.ReasonCode = []string{"a newer rule"}, "validation_failed"
	if got := l.ok(l.lead(m)).DeploymentID; got != first {
		t.Fatalf("%s is a second record beside %s", got, first)
	}
	m.ExpectedSequence = l.env("production").Sequence
	l.refused(l.lead(m), fsm.ClassPrecondition, "held")
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
