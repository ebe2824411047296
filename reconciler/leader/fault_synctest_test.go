package leader

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// faultsOf counts the records of faults in the audit.
func faultsOf(state *fsm.State) map[string]int {
	found := map[string]int{}
	for r := range state.Audit(0) {
		if strings.HasPrefix(r.Action, "fault.") {
			found[strings.TrimSpace(r.Action+" "+r.Environment)]++
		}
	}
	return found
}

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// I16: a repository that fails in one way for an hour is one record; another way is another; what is active stays. A
// leader that follows says nothing again.
func TestI16FaultOfThePollIsRecordedOnce(t *testing.T) {
	leading(t, nil, func(t *testing.T, f *fakes) {
		sleep(2 * time.Second)
		f.completed(t, "c1")
		f.push("c2", emptyCatalog, fmt.Errorf("away: %w", gitsync.ErrGarbage))
		before := len(f.asked())
		sleep(time.Hour)
		want := map[string]int{"fault.garbage_answer prod": 1}
		if got := faultsOf(f.rig.store.State()); !maps.Equal(got, want) {
			t.Fatalf("after an hour: %v", got)
		}
		// 30 s, doubled up to five minutes: no more than these.
		if polls := len(f.asked()) - before; polls < 8 || polls > 16 {
			t.Errorf("%d polls in an hour of failures", polls)
		}
		f.push("c2", emptyCatalog, gitsync.ErrAuth)
		sleep(time.Hour)
		want["fault.authentication_failed prod"] = 1
		if got := faultsOf(f.rig.store.State()); !maps.Equal(got, want) {
			t.Fatalf("after another fault: %v", got)
		}
		if env := f.rig.env(); env.Active == nil || env.Active.Commit != "c1" || env.Operation != nil {
			t.Fatalf("%+v", env)
		}
		f.push("c2", `{"services": [ ]}`, nil)
		sleep(6 * time.Minute)
		f.completed(t, "c2")
	})
}

// A leader that follows another finds the record of the fault, and makes none.
func TestI16NextLeaderRecordsNothingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakes{rig: newRig(t), head: "c1", text: emptyCatalog, err: gitsync.ErrRedirect}
		for term := uint64(1); term <= 3; term++ {
			f.lead(t, term, func() { sleep(5 * time.Minute) })
		}
		if got := faultsOf(f.rig.store.State()); !maps.Equal(got, map[string]int{"fault.redirect_refused prod": 1}) {
			t.Fatalf("three leaders recorded %v", got)
		}
	})
}

// What one environment's folder does to those who read it is recorded there; the others go on deploying.
func TestI16FaultOfOneEnvironment(t *testing.T) {
	leading(t, func(f *fakes) {
		f.settings("prod", "lab")
		f.fails = map[string]error{"lab": gitsync.ErrMemory}
	}, func(t *testing.T, f *fakes) {
		sleep(10 * time.Minute)
		f.completed(t, "c1")
		f.push("c2", `{"services": [ ]}`, nil)
		sleep(6 * time.Minute)
		f.completed(t, "c2")
		state := f.rig.store.State()
		if got := faultsOf(state); !maps.Equal(got, map[string]int{"fault.fetch_memory lab": 1}) {
			t.Fatalf("recorded %v", got)
		}
		if lab := state.Environment("lab"); lab.Active != nil || lab.PollErrorCode != "fetch_memory" || f.rig.env().PollErrorCode != "" {
			t.Fatalf("%+v", lab)
		}
	})
}

// What all environments of a branch meet alike is one record, of the branch.
func TestI16FaultOfAllEnvironments(t *testing.T) {
	leading(t, func(f *fakes) {
		f.settings("prod", "lab", "staging")
		f.fails = map[string]error{"prod": gitsync.ErrTimeout, "lab": gitsync.ErrTimeout, "staging": gitsync.ErrTimeout}
	}, func(t *testing.T, f *fakes) {
		sleep(10 * time.Minute)
		if got := faultsOf(f.rig.store.State()); !maps.Equal(got, map[string]int{"fault.fetch_timeout": 1}) {
			t.Fatalf("recorded %v", got)
		}
	})
}

// settings makes the branch one of these environments.
func (f *fakes) settings(names ...string) {
	s := &pb.SettingsValue{PollIntervalMs: 30_000}
	for _, name := range names {
		s.Environments = append(s.Environments, &pb.EnvironmentValue{Name: name, Branch: "main", Policy: &pb.PolicyValue{AutoRollback: true}})
	}
	if r := f.rig.apply(&pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Reason: "test", Settings: s}}}); r.Refusal != nil {
		f.rig.t.Fatal(r.Refusal)
	}
}

// What a repository says about itself is bounded and valid text before it gets into the log.
func TestErrorsFitIntoTheLog(t *testing.T) {
	long := said(errors.New(strings.Repeat("x", 5000) + "\xff"))
	if len(long) > maxErrorText+len("…") {
		t.Errorf("%d bytes", len(long))
	}
	if got := said(errors.New("a\xffb")); got != "a\uFFFDb" {
		t.Errorf("%q", got)
	}
	r := newRig(t)
	poll := &pb.ObservePoll{}
	names := []*pb.EnvironmentValue{}
	for i := range 900 {
		names = append(names, &pb.EnvironmentValue{Name: fmt.Sprintf("e%03d", i), Branch: "main", Policy: &pb.PolicyValue{}})
	}
	r.apply(&pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{
		Reason: "test", Settings: &pb.SettingsValue{PollIntervalMs: 30_000, Environments: names},
	}}})
	r.in.State = r.store.State()
	for _, e := range names {
		r.in.Candidates[e.GetName()] = unread(e.GetName(), "main", "c1", base{}, errors.New(strings.Repeat("y", 2000)))
	}
	if !findings(r.in, "main", "c1", poll) || len(poll.GetFindings()) != 900 {
		t.Fatalf("%d findings", len(poll.GetFindings()))
	}
	if size := len(mustMarshal(t, poll)); size > fsm.MaxChunk {
		t.Errorf("a poll of %d bytes", size)
	}
}

// limit changes how large a file may be.
func (f *fakes) limit(t *testing.T, bytes int64) {
	t.Helper()
	r, err := f.Propose(t.Context(), 1, &pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{
		Reason: "test", Settings: &pb.SettingsValue{
			PollIntervalMs: 30_000, MaxFileBytes: bytes,
			Environments: []*pb.EnvironmentValue{{Name: "prod", Branch: "main", Policy: &pb.PolicyValue{AutoRollback: true}}},
		},
	}}})
	if err != nil || r.Refusal != nil {
		t.Fatal(err, r.Refusal)
	}
}

// I12: a commit that the limits do not let in has one record and one audit record. With limits that do and the hold
// lifted it is read anew, and is the same record.
func TestI12RefusedTreeIsTheSameRecord(t *testing.T) {
	refuse := func(f *fakes) {
		f.fails = map[string]error{"prod": &gitsync.RejectedTreeError{Path: "environments/prod/metadata.json", Reason: "has 20 bytes, more than 10"}}
	}
	leading(t, refuse, func(t *testing.T, f *fakes) {
		sleep(5 * time.Minute)
		state := f.rig.store.State()
		refused := state.DeploymentByContent("prod", "c1", "")
		if refused == nil || refused.State != fsm.Failed || refused.ReasonCode != "rejected_tree" || f.timesRead() != 1 {
			t.Fatalf("%+v, read %d times", refused, f.timesRead())
		}
		f.mu.Lock()
		f.fails = nil
		f.mu.Unlock()
		f.limit(t, 20)
		if _, err := f.Propose(t.Context(), 1, &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "prod", LiftHold: true}}}); err != nil {
			t.Fatal(err)
		}
		sleep(2 * time.Second)
		f.completed(t, "c1")
		state = f.rig.store.State()
		if n, _, _ := state.Counts(); n != 1 || f.rig.env().LastCompletedID != refused.ID {
			t.Errorf("%d records; %s completed, beside %s", n, f.rig.env().LastCompletedID, refused.ID)
		}
		failures := 0
		for r := range state.Audit(0) {
			if r.Action == "deployment.failed" {
				failures++
			}
		}
		if failures != 1 {
			t.Errorf("%d audit records of one refusal", failures)
		}
	})
}

// I12: the branch goes back to a commit that the limits of now do not let in: it is refused on the record that it has.
func TestI12CommitThatCannotBeReadAnyMore(t *testing.T) {
	leading(t, nil, func(t *testing.T, f *fakes) {
		sleep(2 * time.Second)
		f.completed(t, "c1")
		first := f.rig.env().LastCompletedID
		f.push("c2", `{"services": [ ]}`, nil)
		sleep(time.Minute)
		f.completed(t, "c2")
		f.mu.Lock()
		f.fails = map[string]error{"prod": &gitsync.RejectedTreeError{Path: "environments/prod", Reason: "has 2 files, more than 1"}}
		f.mu.Unlock()
		f.limit(t, 10)
		before := f.timesRead()
		f.push("c1", emptyCatalog, nil)
		sleep(10 * time.Minute)
		state, env := f.rig.store.State(), f.rig.env()
		if d := state.Deployment(first); d.ReasonCode != "rejected_tree" || d.State != fsm.Completed || state.Hold("prod", "commit:c1") == nil {
			t.Errorf("%+v", d)
		}
		if n, _, _ := state.Counts(); n != 2 || env.Active.Commit != "c2" || env.LatestCommit != "c1" || f.timesRead() != before+1 {
			t.Errorf("%d records, %s is active, the head is %s, read %d times", n, env.Active.Commit, env.LatestCommit, f.timesRead()-before)
		}
	})
}
