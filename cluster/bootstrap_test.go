package cluster

import (
	"testing"
	"time"
)

func TestThreeNodesFoundOneCluster(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		id := ms[0].node.Status().ClusterID
		if id == "" {
			t.Fatal("the cluster has no id")
		}
		for _, m := range ms {
			s := m.node.Status()
			if s.ClusterID != id || len(s.Servers) != 3 || !s.HasQuorum || s.LeaderGRPC == "" {
				t.Errorf("%s: %+v", m.cfg.NodeID, s)
			}
			for _, server := range s.Servers {
				if !server.Voter {
					t.Errorf("%s: founder %s has no vote", m.cfg.NodeID, server.ID)
				}
			}
		}
		ms[1].mustPropose("first")
	})
}

func TestFoundingNeedsExactlyTheExpected(t *testing.T) {
	for _, test := range []struct {
		name   string
		start  int
		change func(i int, c *Config)
		found  bool
	}{
		{"one alone without seeds", 1, func(_ int, c *Config) { c.BootstrapExpect, c.Join = 1, nil }, true},
		{"one with seeds never founds", 1, func(_ int, c *Config) { c.BootstrapExpect = 1 }, false},
		{"two of three", 2, nil, false},
		{"different expectations", 3, func(i int, c *Config) { c.BootstrapExpect = 2 + min(i, 1) }, false},
		{"non-voters do not count", 3, func(i int, c *Config) { c.Voter = i > 0 }, false},
		{"five", 5, func(_ int, c *Config) { c.BootstrapExpect = 5 }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				var ms []*machine
				for i := range test.start {
					m := l.machine(string(rune('a' + i)))
					if test.change != nil {
						test.change(i, &m.cfg)
					}
					ms = append(ms, m)
				}
				for _, m := range ms {
					m.start()
				}
				if test.found {
					l.settle(ms...)
					return
				}
				time.Sleep(10 * time.Second)
				for _, m := range ms {
					if s := m.node.Status(); s.State != StateJoining || m.node.disk.hasState {
						t.Errorf("%s is %s", m.cfg.NodeID, s.State)
					}
				}
			})
		})
	}
}

func TestLateFounderIsWaitedFor(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b, c := l.machine("a"), l.machine("b"), l.machine("c")
		b.start()
		c.start()
		time.Sleep(20 * time.Second)
		a.start()
		l.settle(a, b, c)
	})
}

// A founder that starts again before it ever ran raft is the same incarnation,
// and its peers, who may have counted on it, let it in.
func TestFounderThatDiedBeforeItBegan(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b, c := l.machine("a"), l.machine("b"), l.machine("c")
		a.start()
		b.start()
		time.Sleep(time.Second)
		before := b.node.Incarnation()
		b.kill()
		b.start()
		if b.node.Incarnation() != before {
			t.Error("the incarnation changed although nothing was lost")
		}
		c.start()
		l.settle(a, b, c)
	})
}

func TestAllAtOnceResume(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		result := ms[0].mustPropose("before")
		for _, m := range ms {
			m.kill()
		}
		for _, m := range ms {
			m.start()
		}
		l.settle(ms[:]...)
		state, err := ms[2].linear(5 * time.Second)
		if err != nil || state.Index() < result.Index {
			t.Fatalf("state %v after the restart, %v: lost what was acknowledged at %d", state.Index(), err, result.Index)
		}
	})
}
