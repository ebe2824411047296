package leader

import (
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// Every look of a deployment's way, from the commit to Completed. 2000 ms is
// when a node that raft hears nothing of becomes unavailable.
func TestPlanOfADeployment(t *testing.T) {
	r := newRig(t)
	r.decides("wake 2000")
	c := r.candidate("c1", "one")
	r.in.Candidates["prod"] = c
	r.in.Polls["main"] = Poll{Branch: "main", Head: "c1"}
	r.decides("upload prod", "wake 2000") // the poll is put on record when what it found is settled
	r.upload(c)
	r.decides("propose env/prod create c1 ", "wake 2000")
	r.carryOut()
	r.decides("propose env/prod begin a b c", "propose poll/main poll c1 1 findings ", "wake 2000")
	r.carryOut()
	delete(r.in.Polls, "main")
	r.decides("ask a to stage", "ask b to stage", "ask c to stage", "wake 2000")
	r.answer(false, true, "a", "b")
	r.decides("ask c to stage", "wake 2000")
	r.answer(false, true, "c")
	r.decides("propose env/prod staged a=true b=true c=true", "wake 2000")
	r.carryOut()
	r.decides("propose env/prod activate", "wake 2000")
	r.carryOut()
	r.decides("ask a to verify", "ask b to verify", "ask c to verify", "wake 2000")
	r.answer(true, true, "a", "b", "c")
	r.decides("propose env/prod finish a=true b=true c=true", "wake 2000")
	r.carryOut()
	if r.env().LastOutcome == nil || !r.env().LastOutcome.OK {
		t.Fatalf("it ended as %+v", r.env().LastOutcome)
	}
	// The same candidate, based on what was active before, asks for nothing more.
	r.decides("wake 2000")
}

func TestPlanAtTheDeadline(t *testing.T) {
	r := newRig(t)
	r.create("c1", "one")
	r.carryOut()
	r.answer(false, true, "a")
	r.in.Now += 60_000
	r.decides("ask b to stage", "ask c to stage", "propose env/prod staged a=true deadline", "wake 2000")
	r.in.ClockTrusted = false
	r.decides("ask b to stage", "ask c to stage", "wake 0")
}

func TestPlanAsksOnlyThoseWhoCount(t *testing.T) {
	r := newRig(t)
	r.create("c1", "one")
	r.carryOut()
	unavailable := func(available bool) {
		r.apply(observe(&pb.ObserveNode{NodeId: "c", Incarnation: "c1", Available: available}))
	}
	unavailable(false)
	r.in.Peers["c"] = Peer{SilentMs: 5000}
	r.answer(false, true, "a", "b")
	r.decides("propose env/prod staged a=true b=true", "wake 2000")
	r.carryOut()
	unavailable(true)
	r.in.Peers["c"] = Peer{}
	r.decides("ask c to stage", "wake 2000")
	r.answer(false, true, "c")
	r.decides("propose env/prod staged c=true", "wake 2000")
	r.carryOut()
	r.decides("propose env/prod activate", "wake 2000")
}

func TestPlanWithoutAMajority(t *testing.T) {
	r := newRig(t)
	r.create("c1", "one")
	for _, id := range []string{"b", "c"} {
		r.apply(observe(&pb.ObserveNode{NodeId: id, Incarnation: id + "1"}))
		r.in.Peers[id] = Peer{SilentMs: 5000}
	}
	r.decides("wake 2000")
}

func TestPlanNodes(t *testing.T) {
	r := newRig(t)
	r.in.Peers["b"] = Peer{SilentMs: 1999}
	r.decides("wake 1")
	r.in.Peers["b"] = Peer{SilentMs: 2000}
	r.decides("propose node/b available=false", "wake 2000")
	r.carryOut()
	r.decides("wake 2000")
	r.in.Peers["b"] = Peer{Status: &pb.GetNodeStatusResponse{NodeId: "b", Incarnation: "b0"}}
	r.decides("wake 2000") // another data directory: it has to join first
	r.in.Peers["b"] = Peer{Status: &pb.GetNodeStatusResponse{NodeId: "b", Incarnation: "b1", Version: "1.2"}}
	r.decides("propose node/b available=true", "wake 2000")
	r.carryOut()
	r.decides("wake 2000")
}

func TestPlanFollowsTheFilesOfAMajority(t *testing.T) {
	r := newRig(t)
	next := mustMarshal(t, &pb.SettingsValue{Environments: []*pb.EnvironmentValue{{Name: "prod", Branch: "main"}, {Name: "next", Branch: "main"}}})
	says := func(node, digest string, content []byte) {
		s := &pb.GetNodeStatusResponse{NodeId: node, Incarnation: node + "1", SettingsDigest: digest, Settings: content}
		r.in.Peers[node] = Peer{Status: s}
		r.apply(observe(report(s)))
	}
	says("a", "file-2", next)
	r.decides("wake 2000")
	says("b", "file-2", nil)
	r.decides("propose settings SetSettings", "wake 2000")
	r.carryOut()
	if r.store.State().Environment("next") == nil {
		t.Fatal("the settings were not followed")
	}
	r.decides("wake 2000")
	says("b", "file-3", []byte("garbage"))
	says("c", "file-3", []byte("garbage"))
	r.decides("wake 2000")
}

func TestPlanWaits(t *testing.T) {
	window := func(days ...time.Weekday) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Window.Days = days }
	}
	begins := "propose env/prod begin a b c"
	for _, test := range []struct {
		name  string
		alter func(*policy.Policy)
		pause *pb.PauseCommand
		// untrusted: the leader's clock is far from the others'.
		untrusted bool
		later     int64
		want      []string
	}{
		{"nothing in the way", nil, nil, false, 0, []string{begins, "wake 2000"}},
		{"no window needs no clock", nil, nil, true, 0, []string{begins, "wake 2000"}},
		{"open window", window(time.Tuesday), nil, false, 0, []string{begins, "wake 2000"}},
		{"open window, untrusted clock", window(time.Tuesday), nil, true, 0, []string{"wake 2000"}},
		{"closed window", window(time.Wednesday), nil, false, 0, []string{"wake 2000"}},
		{"the window opens without a poll", window(time.Wednesday), nil, false, 2 * 3_600_000, []string{begins, "wake 2000"}},
		{"paused", nil, &pb.PauseCommand{Environment: "prod", Reason: "r"}, false, 0, []string{"wake 2000"}},
		{"the pause ends sooner", nil, &pb.PauseCommand{Environment: "prod", Reason: "r", UntilMs: start + 500}, false, 0, []string{"wake 500"}},
		{"the pause is over", nil, &pb.PauseCommand{Environment: "prod", Reason: "r", UntilMs: start + 500}, false, 500, []string{"propose pause/prod ExpirePause", "wake 2000"}},
		{"the pause is over, untrusted clock", nil, &pb.PauseCommand{Environment: "prod", Reason: "r", UntilMs: start + 500}, true, 500, []string{"wake 0"}},
		{"frozen", nil, &pb.PauseCommand{All: true, Reason: "r"}, false, 0, []string{"wake 2000"}},
		{"the freeze is over", nil, &pb.PauseCommand{All: true, Reason: "r", UntilMs: start + 500}, false, 500, []string{"propose freeze ExpirePause", "wake 2000"}},
		{"awaiting approval", func(p *policy.Policy) { p.RequiresApproval = true }, nil, false, 0, []string{"wake 2000"}},
		{"nobody approved", func(p *policy.Policy) { p.RequiresApproval = true }, nil, false, 3_600_000, []string{"propose env/prod ExpireApproval", "wake 2000"}},
		{"nobody approved, untrusted clock", func(p *policy.Policy) { p.RequiresApproval = true }, nil, true, 3_600_000, []string{"wake 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, policyOf(t, func(p *policy.Policy) {
				if test.alter != nil {
					test.alter(p)
				}
			}))
			r.create("c1", "one")
			if test.pause != nil {
				r.apply(&pb.Payload{Command: &pb.Payload_Pause{Pause: test.pause}})
			}
			r.in.Now += test.later
			r.in.ClockTrusted = !test.untrusted
			r.decides(test.want...)
		})
	}
}

func TestWindowNeverFailsOpen(t *testing.T) {
	if open, next := window(&fsm.Policy{Canonical: []byte("garbage")}, start); open || next != 0 {
		t.Fatalf("a window that cannot be read is open: %t, %d", open, next)
	}
}

func TestPlanOfCandidates(t *testing.T) {
	t.Run("failed checks need no upload", func(t *testing.T) {
		r := newRig(t)
		c := r.candidate("c1", "one")
		c.Encoded, c.Problems, c.ReasonCode = nil, []string{"broken"}, "validation_failed"
		r.in.Candidates["prod"] = c
		r.decides("propose env/prod create c1 broken", "wake 2000")
		r.carryOut()
		r.decides("wake 2000") // held: it is not tried again
	})
	t.Run("compared with something else", func(t *testing.T) {
		r := newRig(t)
		c := r.candidate("c1", "one")
		c.BasedOn = "before"
		r.in.Candidates["prod"] = c
		r.decides("reread main", "wake 2000")
	})
	t.Run("could not be read", func(t *testing.T) {
		r := newRig(t)
		r.in.Candidates["prod"] = &Candidate{Environment: "prod", Branch: "main", Commit: "c1", Code: "unavailable"}
		r.in.Polls["main"] = Poll{Branch: "main", Head: "c1"}
		r.decides("propose poll/main poll c1 1 findings ", "wake 2000")
	})
	t.Run("I17: no such environment", func(t *testing.T) {
		r := newRig(t)
		r.in.Candidates["prod"] = &Candidate{Environment: "prod", Branch: "main", Commit: "c1", Absent: true}
		r.decides("wake 2000")
	})
	t.Run("a failed poll is put on record at once", func(t *testing.T) {
		r := newRig(t)
		r.in.Polls["main"] = Poll{Branch: "main", Code: "unavailable", Err: "no route"}
		r.decides("propose poll/main poll  0 findings unavailable", "wake 2000")
	})
}

func TestPlanBeforeTheClusterIsInitialised(t *testing.T) {
	if d := Plan(Inputs{State: fsm.New(), ClockTrusted: true}); len(d.Proposals)+len(d.Questions)+len(d.Uploads) > 0 {
		t.Fatalf("it decides %+v", d)
	}
}

func BenchmarkPlanIdle(b *testing.B) {
	r := newRig(b)
	environments := make([]*pb.EnvironmentValue, 1000)
	for i := range environments {
		environments[i] = &pb.EnvironmentValue{Name: "env" + time.UnixMilli(int64(i)).Format("05.000"), Branch: "main", Policy: &pb.PolicyValue{}}
	}
	r.apply(&pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Settings: &pb.SettingsValue{Environments: environments}}}})
	r.in.State = r.store.State()
	b.ReportAllocs()
	for b.Loop() {
		Plan(r.in)
	}
}
