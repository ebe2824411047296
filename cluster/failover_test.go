package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// I14: with a majority alive, commands commit within 3 s, and callers with a
// deadline that allows for it do not notice that the leader died.
func TestFailoverIsHidden(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		for round := range 5 {
			dead := l.awaitLeader()
			dead.kill()
			survivor := l.followers()[0]
			start := time.Now()
			if _, err := survivor.propose(3*time.Second, poll(fmt.Sprintf("round-%d", round))); err != nil {
				t.Fatalf("round %d: %v after %s", round, err, time.Since(start))
			}
			dead.start()
			l.settle(dead)
		}
		if l.tasks.overlap.Load() {
			t.Error("I15: two leader tasks in one term, or two at once on a node")
		}
	})
}

func TestQuorumLostAndFound(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		others := l.followers()
		for _, m := range others {
			m.kill()
		}
		time.Sleep(2 * time.Second)
		_, err := leader.propose(time.Second, poll("alone"))
		if !errors.Is(err, ErrNoLeader) || !NotExecuted(err) {
			t.Fatalf("without a quorum: %v", err)
		}
		t.Log(err)
		if _, err := leader.linear(time.Second); !errors.Is(err, ErrNoLeader) {
			t.Fatalf("a read without a quorum: %v", err)
		}
		others[0].start()
		if _, err := leader.propose(3*time.Second, poll("together")); err != nil {
			t.Fatal(err)
		}
	})
}

// Raft alone would wait up to ten seconds before it sends to a follower that
// was away for a while, and with the other follower gone nothing would commit.
func TestReturnedFollowerIsUsedAtOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		away, other := l.followers()[0], l.followers()[1]
		away.kill()
		time.Sleep(40 * time.Second)
		away.start()
		l.eventually(time.Second, "the follower hears its leader", func() bool { return away.node.Status().HasQuorum })
		other.kill()
		start := time.Now()
		if _, err := leader.propose(3*time.Second, poll("needs the returned")); err != nil {
			t.Fatalf("I14: %v after %s", err, time.Since(start))
		}
	})
}

// As TestReturnedFollowerIsUsedAtOnce, but the follower is silent, not absent:
// every attempt costs a whole timeout.
func TestHealedFollowerIsUsedAtOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		away, other := l.followers()[0], l.followers()[1]
		l.net.Isolate(away.ip, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		time.Sleep(80 * time.Second)
		l.net.Heal()
		l.eventually(6*time.Second, "the follower hears its leader", func() bool { return away.node.Status().HasQuorum })
		other.kill()
		start := time.Now()
		if _, err := leader.propose(3*time.Second, poll("needs the returned")); err != nil {
			l.t.Fatalf("I14: %v after %s", err, time.Since(start))
		}
	})
}

func TestIsolatedLeader(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		old := l.awaitLeader()
		l.net.Isolate(old.ip, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		// The command may reach the old leader's log: its outcome is unknown.
		_, err := old.propose(2*time.Second, poll("cut off"))
		if err == nil {
			t.Fatal("a leader without followers acknowledged")
		}
		if _, err := old.linear(2 * time.Second); err == nil {
			t.Fatal("I8: a leader without followers answered a linearizable read")
		}
		majority := l.followers()
		if majority[0] == old {
			majority = majority[1:]
		}
		acknowledged := majority[0].mustPropose("majority")
		l.net.Heal()
		l.eventually(10*time.Second, "the old leader has what it missed", func() bool {
			return old.node.Store().State().Index() >= acknowledged.Index
		})
		// I3: the id of unknown outcome, repeated, executes once.
		first := old.mustPropose("cut off")
		if again := ms[0].mustPropose("cut off"); !again.Replayed || again.Index != first.Index {
			t.Errorf("repeated: %+v, first %+v", again, first)
		}
	})
}

func TestPartitionedFollowerDoesNotDisturb(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		term := leader.node.Status().Term
		lonely := l.followers()[0]
		l.net.Isolate(lonely.ip, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		time.Sleep(20 * time.Second)
		l.net.Heal()
		acknowledged := leader.mustPropose("after the partition")
		l.eventually(15*time.Second, "the follower catches up", func() bool {
			return lonely.node.Store().State().Index() >= acknowledged.Index
		})
		if s := leader.node.Status(); s.Term != term || s.State != StateLeader {
			t.Errorf("term %d became %d: pre-vote does not work", term, s.Term)
		}
	})
}

// I11: equal index, equal hash, however the nodes got there.
func TestNodesAgreeAfterSnapshots(t *testing.T) {
	bubble(t, func(l *lab) {
		small := func(c *Config) {
			c.SnapshotThreshold, c.TrailingLogs, c.SnapshotInterval = 20, 5, time.Second
		}
		a, b, c := l.machine("a", small), l.machine("b", small), l.machine("c", small)
		for _, m := range []*machine{a, b, c} {
			m.start()
		}
		l.settle(a, b, c)
		c.kill()
		for i := range 100 {
			a.mustPropose(fmt.Sprintf("command-%d", i))
			time.Sleep(50 * time.Millisecond)
		}
		c.start()
		l.settle(c)
		b.kill()
		b.start()
		l.settle(a, b, c)
		last := a.mustPropose("last")
		hashes := map[[32]byte]string{}
		for _, m := range []*machine{a, b, c} {
			l.eventually(5*time.Second, "all have the last", func() bool {
				return m.node.Store().State().Index() == last.Index
			})
			hashes[m.node.Store().State().Hash()] += m.cfg.NodeID
		}
		if len(hashes) != 1 {
			t.Errorf("I11: the nodes differ: %v", hashes)
		}
	})
}

func TestTermsAreFenced(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		term := Term{Number: leader.node.leading.Load().number, Node: leader.node}
		c := poll("")
		if _, err := term.Propose(l.t.Context(), c.Payload); err != nil {
			t.Fatal(err)
		}
		if err := leader.node.Transfer(l.t.Context(), nil, ""); err != nil {
			t.Fatal(err)
		}
		l.eventually(5*time.Second, "another leads", func() bool { return l.leader() != nil && l.leader() != leader })
		if _, err := term.Propose(l.t.Context(), c.Payload); !errors.Is(err, ErrNotLeader) {
			t.Errorf("I10: a command of a past term: %v", err)
		}
	})
}

func TestEveryLeadershipRunsTheTaskOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		for i := range 10 {
			leader := l.awaitLeader()
			if err := ms[i%3].node.Transfer(l.t.Context(), nil, ""); err != nil && !errors.Is(err, ErrUnknownOutcome) {
				t.Fatal(err)
			}
			l.eventually(5*time.Second, "leadership moves", func() bool { return l.leader() != nil && l.leader() != leader })
		}
		if l.tasks.overlap.Load() {
			t.Error("I15: leader tasks overlap")
		}
		l.tasks.mu.Lock()
		defer l.tasks.mu.Unlock()
		if len(l.tasks.terms) < 10 {
			t.Errorf("the task ran in %d terms", len(l.tasks.terms))
		}
	})
}
