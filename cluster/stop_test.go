package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestGracefulStopHandsOver(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader, via := l.awaitLeader(), l.followers()[0]
		gap := time.Duration(0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 100 {
				start := time.Now()
				via.mustPropose(fmt.Sprintf("write-%d", i))
				gap = max(gap, time.Since(start))
				time.Sleep(10 * time.Millisecond)
			}
		}()
		time.Sleep(200 * time.Millisecond)
		start := time.Now()
		if err := leader.stop(); err != nil {
			l.t.Error(err)
		}
		if took := time.Since(start); took > 10*time.Second {
			l.t.Errorf("stopping took %s", took)
		}
		<-done
		// A transfer, not an election: those take twice the heartbeat timeout.
		if gap > 300*time.Millisecond {
			l.t.Errorf("writers waited for %s", gap)
		}
	})
}

// Who writes at a node that stops is told so at once and can go to another: waiting there for the next leader would
// last as long as the process does.
func TestStoppingNodeSendsCallersAway(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		var refused error
		longest, done := time.Duration(0), make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; refused == nil; i++ {
				start := time.Now()
				_, refused = leader.propose(20*time.Second, poll(fmt.Sprintf("write-%d", i)))
				longest = max(longest, time.Since(start))
				time.Sleep(time.Millisecond)
			}
		}()
		time.Sleep(200 * time.Millisecond)
		if err := leader.stop(); err != nil {
			l.t.Error(err)
		}
		<-done
		if !errors.Is(refused, ErrStopping) || longest > 100*time.Millisecond {
			l.t.Errorf("after up to %s: %v", longest, refused)
		}
	})
}

func TestStopInEverySituationIsBounded(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(l *lab) *machine
	}{
		{"a leader without followers", func(l *lab) *machine {
			l.three()
			leader := l.awaitLeader()
			for _, m := range l.followers() {
				m.kill()
			}
			return leader
		}},
		{"a leader that is cut off", func(l *lab) *machine {
			l.three()
			leader := l.awaitLeader()
			l.net.Isolate(leader.ip, "10.0.0.1", "10.0.0.2", "10.0.0.3")
			return leader
		}},
		{"not in a cluster yet", func(l *lab) *machine { return l.machine("a").start() }},
		{"just started", func(l *lab) *machine {
			ms := l.three()
			ms[0].kill()
			return ms[0].start()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				m := test.prepare(l)
				start := time.Now()
				if err := m.stop(); err != nil {
					l.t.Error(err)
				}
				if took := time.Since(start); took > 10*time.Second {
					l.t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestRollingRestartLosesNothing(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		for round := range 2 {
			for _, m := range ms {
				if err := m.stop(); err != nil {
					l.t.Error(err)
				}
				l.followers()[0].mustPropose(fmt.Sprintf("%d without %s", round, m.cfg.NodeID))
				m.start()
				l.settle(m)
			}
		}
		state, err := ms[0].linear(time.Second)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, _, requests := state.Counts(); requests != 6 {
			l.t.Errorf("I3: %d of 6 writes are there", requests)
		}
	})
}
