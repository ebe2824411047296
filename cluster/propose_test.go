package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestEveryNodeProposes(t *testing.T) {
	bubble(t, func(l *lab) {
		var wait sync.WaitGroup
		for _, m := range l.three() {
			for i := range 50 {
				wait.Go(func() {
					if _, err := m.propose(5*time.Second, poll(fmt.Sprintf("%s-%d", m.cfg.NodeID, i))); err != nil {
						l.t.Error(err)
					}
				})
			}
		}
		wait.Wait()
		state, err := l.awaitLeader().linear(time.Second)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, _, requests := state.Counts(); requests != 150 {
			l.t.Errorf("I3: %d requests are remembered of 150 that were acknowledged", requests)
		}
	})
}

func TestSameRequestTwice(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		first := ms[0].mustPropose("same")
		second := ms[1].mustPropose("same")
		if !second.Replayed || second.Index != first.Index {
			l.t.Errorf("I3: first %+v, second %+v", first, second)
		}
	})
}

func TestCommandsThatNeverEnterTheLog(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		leader, follower := l.awaitLeader(), l.followers()[0]
		big := poll("big")
		big.Caller.Identity = strings.Repeat("x", MaxCommandBytes)
		empty := poll("empty")
		empty.Payload = &pb.Payload{}
		for _, test := range []struct {
			name    string
			command Command
			want    error
		}{
			{"too large", big, ErrTooLarge},
			{"would halt every node", empty, ErrUnapplicable},
			{"of a term long past", Command{Term: 1, Payload: poll("").Payload}, ErrNotLeader},
		} {
			before := leader.node.Stats().LastLogIndex
			for _, m := range []*machine{leader, follower} {
				if _, err := m.propose(time.Second, test.command); !errors.Is(err, test.want) || !NotExecuted(err) {
					l.t.Errorf("%s at %s: %v", test.name, m.cfg.NodeID, err)
				}
			}
			if after := leader.node.Stats().LastLogIndex; after != before {
				l.t.Errorf("%s: the log grew from %d to %d", test.name, before, after)
			}
		}
		ms[0].mustPropose("all still apply")
	})
}

func TestRefusalTravels(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		unknown := poll("nowhere")
		unknown.Payload = &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "nowhere"}}}
		follower := l.followers()[0]
		result, err := follower.node.Propose(l.t.Context(), unknown)
		if err != nil || result.Err() == nil {
			l.t.Errorf("result %+v, error %v: a refusal is a result", result, err)
		}
	})
}

// An acknowledged command is never lost, and one whose outcome is unknown is
// there once or not at all.
func TestProposalsThroughLeaderChanges(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		ctx, cancel := context.WithCancel(l.t.Context())
		var wait sync.WaitGroup
		acknowledged := make([][]string, len(ms))
		for i, m := range ms {
			wait.Go(func() {
				for k := 0; ctx.Err() == nil; k++ {
					id := fmt.Sprintf("%s-%d", m.cfg.NodeID, k)
					if _, err := m.propose(5*time.Second, poll(id)); err != nil {
						l.t.Errorf("%s: %v", id, err)
						return
					}
					acknowledged[i] = append(acknowledged[i], id)
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
		for range 5 {
			time.Sleep(100 * time.Millisecond)
			if err := l.awaitLeader().node.Transfer(l.t.Context(), nil, ""); err != nil && !errors.Is(err, ErrUnknownOutcome) && !errors.Is(err, ErrNoLeader) {
				l.t.Error(err)
			}
		}
		cancel()
		wait.Wait()
		total := 0
		for _, ids := range acknowledged {
			total += len(ids)
		}
		state, err := l.awaitLeader().linear(2 * time.Second)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, _, requests := state.Counts(); requests != total {
			l.t.Errorf("I3: %d acknowledged, %d in the state", total, requests)
		}
	})
}

func TestNotInAClusterYet(t *testing.T) {
	bubble(t, func(l *lab) {
		m := l.machine("a").start()
		_, err := m.propose(time.Second, poll("early"))
		if !errors.Is(err, ErrNoLeader) || !NotExecuted(err) {
			l.t.Errorf("%v", err)
		}
		if _, err := m.linear(time.Second); !errors.Is(err, ErrNoLeader) {
			l.t.Errorf("a read: %v", err)
		}
	})
}

func TestRaftErrors(t *testing.T) {
	for _, test := range []struct {
		err      error
		executed bool
	}{
		{raft.ErrNotLeader, false},
		{raft.ErrLeadershipTransferInProgress, false},
		{raft.ErrEnqueueTimeout, false},
		{raft.ErrLeadershipLost, true},
		{raft.ErrAbortedByRestore, true},
		{raft.ErrRaftShutdown, true},
		{errors.New("input/output error"), true},
	} {
		err := raftError(test.err)
		if errors.Is(err, ErrUnknownOutcome) != test.executed || NotExecuted(err) == test.executed || !errors.Is(err, test.err) {
			t.Errorf("%v became %v", test.err, err)
		}
	}
}

func TestOverload(t *testing.T) {
	p := newProposals()
	for range maxInFlight {
		if err := p.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.enter(ctx); !errors.Is(err, ErrOverloaded) || !NotExecuted(err) {
		t.Errorf("one too many: %v", err)
	}
	p.leave(time.Now())
	if err := p.enter(t.Context()); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

func TestPoisonedLogHaltsWithReason(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		leader := l.awaitLeader()
		future := leader.node.raft.Load().ApplyLog(sealed([]byte("not a command")), time.Second)
		if err := future.Error(); err != nil {
			l.t.Fatal(err)
		}
		index := future.Index()
		for _, m := range ms {
			err := <-m.done
			m.done <- err
			if !errors.Is(err, ErrHalted) || !strings.Contains(err.Error(), fmt.Sprintf("log entry %d ", index)) {
				l.t.Errorf("%s ends with %v", m.cfg.NodeID, err)
			}
			if m.node.Store().State().Index() >= index {
				l.t.Errorf("%s skipped it", m.cfg.NodeID)
			}
		}
	})
}

// The settings of two thousand environments are one command: at the beginning, and when they are changed through a
// node that does not lead. Nothing else is as large.
func TestSettingsOfManyEnvironments(t *testing.T) {
	bubble(t, func(l *lab) {
		settings, digest := initialSettings()
		for i := range 2000 {
			more := proto.CloneOf(settings.GetEnvironments()[0])
			more.Name = fmt.Sprintf("environment-%04d", i)
			settings.Environments = append(settings.Environments, more)
		}
		var ms []*machine
		for _, id := range []string{"a", "b", "c"} {
			ms = append(ms, l.machine(id, func(c *Config) {
				c.InitialSettings = func() (*pb.SettingsValue, string) { return settings, digest }
			}))
		}
		for _, m := range ms {
			m.start()
		}
		l.settle(ms...)
		change := proto.CloneOf(settings)
		change.PollIntervalMs++
		command := poll("change")
		command.Payload = &pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Settings: change, FileDigest: "other", Reason: "a test"}}}
		result, err := l.followers()[0].node.Propose(l.t.Context(), command)
		if err != nil || result.Err() != nil {
			l.t.Fatalf("%v, %v", err, result.Err())
		}
	})
}
