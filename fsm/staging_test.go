package fsm_test

import (
	"slices"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// staged is a lab whose one deployment is being staged on a, b and c.
func staged(t *testing.T) (*lab, string) {
	l := newLab(t)
	id := l.commit("production", "c1")
	l.ok(l.begin("production", id))
	return l, id
}

func TestRejectionFailsTheDeployment(t *testing.T) {
	l, id := staged(t)
	l.ok(l.stage("production", "a", "b: cities.geojson does not exist", "c"))
	d := l.is(id, fsm.Failed)
	if d.ReasonCode != "staging_rejected" || d.Error != "b: cities.geojson does not exist" {
		t.Fatalf("it failed with %s: %s", d.ReasonCode, d.Error)
	}
	env := l.env("production")
	if env.Active != nil || env.Operation != nil || env.LastOutcome.OK {
		t.Fatalf("something was activated: %+v", env)
	}
	if l.state.Hold("production", d.Digest) == nil {
		t.Fatal("what was rejected is not held")
	}
}

func TestSilenceAtTheDeadlineFailsTheDeployment(t *testing.T) {
	l, id := staged(t)
	l.ok(l.stage("production", "a", "c"))
	l.is(id, fsm.Applying)
	l.ok(l.stageLate("production"))
	if d := l.is(id, fsm.Failed); d.ReasonCode != "staging_timeout" {
		t.Fatalf("it failed with %s: %s", d.ReasonCode, d.Error)
	}
}

func TestDeadlineIsTheReplicatedClocks(t *testing.T) {
	l, id := staged(t)
	l.ok(l.lead(&pb.RecordStaging{
		Environment: "production", ExpectedSequence: l.env("production").Sequence, Operation: l.operation("production"), Deadline: true,
	}))
	l.is(id, fsm.Applying) // a leader that is early does not end the wait
}

// A leader that came late has every answer and the deadline in one command.
func TestAnswersOfAllCountAlsoAfterTheDeadline(t *testing.T) {
	l, id := staged(t)
	l.ok(l.stageLate("production", "a", "b", "c"))
	l.is(id, fsm.Applying)
	l.ok(l.activate("production"))
	l.serves("production", id)
}

func TestUnavailableParticipantDoesNotCount(t *testing.T) {
	for name, word := range map[string][]string{"silent": {"a", "c"}, "rejecting": {"a", "b: no", "c"}} {
		t.Run(name, func(t *testing.T) {
			l, id := staged(t)
			l.observe("b", false)
			l.ok(l.stage("production", word...))
			l.ok(l.activate("production"))
			l.ok(l.finish("production", "a", "c"))
			l.is(id, fsm.Completed)
		})
	}
}

func TestAnswerOfAnotherIncarnationDoesNotCount(t *testing.T) {
	l, id := staged(t)
	l.ok(l.lead(&pb.RegisterNode{NodeId: "b", Incarnation: "b2", Voter: true}))
	l.ok(l.stage("production", "a", "b: an empty directory", "c"))
	l.ok(l.activate("production"))
	l.serves("production", id)
	if p := l.env("production").Operation.Participants[1]; p.Staged != fsm.AnswerNone {
		t.Fatalf("the participant of the old directory said %v", p.Staged)
	}
}

func TestParticipantThatCameBackIsHeardAgain(t *testing.T) {
	l, id := staged(t)
	l.observe("c", false)
	l.ok(l.stage("production", "a", "b"))
	l.observe("c", true)
	l.refused(l.activate("production"), fsm.ClassPrecondition, "not_staged")
	l.ok(l.stage("production", "c"))
	l.ok(l.activate("production"))
	l.serves("production", id)
}

func TestParticipantsAreTheAvailableVoters(t *testing.T) {
	l := newLab(t)
	id := l.commit("production", "c1")
	begin := func(voters []string, named ...string) fsm.Result {
		m := &pb.BeginStaging{Environment: "production", ExpectedSequence: l.env("production").Sequence, DeploymentId: id, Voters: voters}
		for _, n := range named {
			m.Participants = append(m.Participants, &pb.ParticipantValue{NodeId: n, Incarnation: n + "1"})
		}
		return l.lead(m)
	}
	abc := []string{"a", "b", "c"}
	l.refused(begin(abc, "a", "b"), fsm.ClassAborted, "stale_participants")           // c is available and missing
	l.refused(begin(abc, "a", "b", "c", "d"), fsm.ClassAborted, "stale_participants") // d is no member
	l.refused(begin([]string{"a", "b"}, "a", "b", "c"), fsm.ClassAborted, "stale_participants")
	l.observe("c", false)
	l.refused(begin(abc, "a", "b", "c"), fsm.ClassAborted, "stale_participants")
	l.observe("b", false)
	l.refused(begin(abc, "a"), fsm.ClassPrecondition, "no_majority")
	l.observe("b", true)
	l.ok(begin(abc, "a", "b"))
	l.is(id, fsm.Applying)
}

func TestActivationNeedsEveryParticipantAndAMajority(t *testing.T) {
	five := []string{"a", "b", "c", "d", "e"}
	for _, test := range []struct {
		name   string
		staged []string
		// gone became unavailable, voters are the configuration at activation.
		gone, voters []string
		reason       string
	}{
		{"all", five, nil, five, ""},
		{"one became unavailable", five[:4], five[4:], five, ""},
		{"one left", five[:4], nil, five[:4], ""},
		{"two became unavailable", five[:3], five[3:], five, ""},
		{"too few are left", five[:2], five[2:], five, "no_majority"},
		{"half is no majority", five[:2], five[2:], five[:4], "no_majority"},
		{"what left does not count for the majority", five[:3], five[3:], []string{"a", "d", "e"}, "no_majority"},
		{"newcomers have no veto but count as voters", five, nil, append(slices.Clone(five), "f", "g", "h", "i"), ""},
		{"newcomers outnumber them", five[:3], five[3:], append(slices.Clone(five), "f"), "no_majority"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t)
			for _, id := range five[3:] {
				l.ok(l.lead(&pb.RegisterNode{NodeId: id, Incarnation: id + "1", Voter: true}))
			}
			id := l.commit("production", "c1")
			l.ok(l.beginWith("production", id, five...))
			for _, n := range test.gone {
				l.observe(n, false)
			}
			for _, n := range five {
				if !slices.Contains(test.voters, n) && !slices.Contains(test.staged, n) {
					l.ok(l.lead(&pb.ForgetNode{NodeId: n}))
				}
			}
			l.ok(l.stage("production", test.staged...))
			if l.env("production").Operation.Phase == fsm.Staging {
				// A participant that left the configuration is forgotten, too.
				for _, n := range five {
					if !slices.Contains(test.voters, n) {
						l.ok(l.lead(&pb.ForgetNode{NodeId: n}))
					}
				}
				l.ok(l.stage("production"))
			}
			r := l.activateWith("production", test.voters...)
			if test.reason == "" {
				l.ok(r)
				l.serves("production", id)
				return
			}
			l.refused(r, fsm.ClassPrecondition, test.reason)
		})
	}
}

func TestNoMajorityAtTheDeadlineFails(t *testing.T) {
	l, id := staged(t)
	l.observe("b", false)
	l.observe("c", false)
	l.ok(l.stage("production", "a"))
	l.refused(l.activate("production"), fsm.ClassPrecondition, "no_majority")
	l.ok(l.stageLate("production"))
	if d := l.is(id, fsm.Failed); d.ReasonCode != "no_majority" {
		t.Fatalf("it failed with %s", d.ReasonCode)
	}
}

func TestOneAtATime(t *testing.T) {
	l, _ := staged(t)
	next := l.commit("production", "c2")
	l.refused(l.begin("production", next), fsm.ClassPrecondition, "busy")
	l.ok(l.stage("production", "a", "b", "c"))
	l.ok(l.activate("production"))
	l.ok(l.finish("production", "a", "b", "c"))
	l.run("production", next)
	l.serves("production", next)
}

func TestDryRunStagesAndActivatesNothing(t *testing.T) {
	l := newLab(t)
	dry := settings(environment("production", plainPolicy()))
	dry.DryRun = true
	l.ok(l.ask("admin", &pb.SetSettings{Settings: dry, Reason: "look first"}))
	id := l.commit("production", "c1")
	l.ok(l.begin("production", id))
	l.ok(l.stage("production", "a", "b", "c"))
	d := l.is(id, fsm.Pending)
	if env := l.env("production"); !d.DryRun || env.Active != nil || !slices.Equal(env.Waiting, []string{id}) {
		t.Fatalf("after a dry run: %+v", env)
	}
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", plainPolicy())), Reason: "go"}))
	l.run("production", id)
	if d := l.is(id, fsm.Completed); d.DryRun {
		t.Fatal("a deployment that was activated still shows as a dry run")
	}
}

func TestDryRunShowsARejectionAsFailure(t *testing.T) {
	l := newLab(t)
	dry := settings(environment("production", plainPolicy()))
	dry.DryRun = true
	l.ok(l.ask("admin", &pb.SetSettings{Settings: dry}))
	id := l.commit("production", "c1")
	l.ok(l.begin("production", id))
	l.ok(l.stage("production", "a: no", "b", "c"))
	l.is(id, fsm.Failed)
}
