package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func joiner(c *Config) { c.BootstrapExpect = 0 }

func TestNewNodeLearnsThenVotes(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		d := l.machine("d", joiner).start()
		l.settle(d)
		leader := l.awaitLeader()
		if got := leader.suffrage("d"); got != "nonvoter" {
			t.Fatalf("d begins as %q", got)
		}
		begun := time.Now()
		l.eventually(20*time.Second, "d is promoted", func() bool { return leader.suffrage("d") == "voter" })
		if took := time.Since(begun); took < 8*time.Second {
			t.Errorf("d was promoted after %s, before it had kept up for 10 s", took)
		}
	})
}

func TestNonvoterStaysOne(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		d := l.machine("d", joiner, func(c *Config) { c.Voter = false }).start()
		l.settle(d)
		time.Sleep(15 * time.Second)
		if got := l.awaitLeader().suffrage("d"); got != "nonvoter" {
			t.Fatalf("d is %q", got)
		}
		d.mustPropose("through a non-voter")
		if err := d.node.Transfer(l.t.Context(), nil, "d"); !errors.Is(err, ErrNotVoter) {
			t.Errorf("the leadership for a non-voter: %v", err)
		}
	})
}

// A node whose disk is gone has forgotten its votes: it must not vote before it
// has all that it once acknowledged.
func TestWipedNodeReturnsAsLearner(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		victim := l.followers()[0]
		id, before := victim.cfg.NodeID, victim.node.Incarnation()
		victim.kill()
		victim.wipe()
		victim.start()
		l.settle(victim)
		if victim.node.Incarnation() == before {
			t.Error("the incarnation survived the disk")
		}
		if got := leader.suffrage(id); got != "nonvoter" {
			t.Errorf("the wiped node is %q", got)
		}
		l.eventually(30*time.Second, "it is promoted", func() bool { return leader.suffrage(id) == "voter" })
		if n := len(leader.node.configuration()); n != 3 {
			t.Errorf("%d servers", n)
		}
	})
}

// Only the log is gone; the incarnation file is not.
func TestLostLogIsNoticed(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader, victim := l.awaitLeader(), l.followers()[0]
		before := victim.node.Incarnation()
		victim.kill()
		victim.removeLog()
		victim.start()
		l.settle(victim)
		if victim.node.Incarnation() == before {
			t.Error("the incarnation survived the log")
		}
		if got := leader.suffrage(victim.cfg.NodeID); got != "nonvoter" {
			t.Errorf("the node without its log is %q", got)
		}
	})
}

func TestRestartAtAnotherAddress(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		moved := l.followers()[0]
		moved.kill()
		moved.at("10.0.1.9")
		moved.start()
		l.settle(moved)
		want := moved.cfg.RaftAdvertise
		l.eventually(10*time.Second, "the configuration has the new address", func() bool {
			s, ok := l.awaitLeader().node.server(moved.cfg.NodeID)
			return ok && string(s.Address) == want && l.awaitLeader().suffrage(moved.cfg.NodeID) == "voter"
		})
	})
}

// The addresses in the configuration lead nowhere: gossip has to.
func TestAllRestartAtOtherAddresses(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		for _, m := range ms {
			m.kill()
		}
		for i, m := range ms {
			m.cfg.Join = []string{"10.0.1.1:7702", "10.0.1.2:7702", "10.0.1.3:7702"}
			m.at("10.0.1." + string(rune('1'+i)))
			m.start()
		}
		l.settle(ms[:]...)
		ms[0].mustPropose("moved")
	})
}

func TestNonvoterThatLeavesIsDropped(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		d := l.machine("d", joiner, func(c *Config) { c.Voter = false }).start()
		l.settle(d)
		if err := d.stop(); err != nil {
			t.Fatal(err)
		}
		leader := l.awaitLeader()
		l.eventually(10*time.Second, "d is dropped", func() bool {
			return leader.suffrage("d") == "" && leader.node.Store().State().Node("d") == nil
		})
		d.start()
		l.settle(d)
		if got := l.awaitLeader().suffrage("d"); got != "nonvoter" {
			t.Errorf("d came back as %q", got)
		}
	})
}

func TestGoneForTooLong(t *testing.T) {
	bubble(t, func(l *lab) {
		const limit = 30 * time.Second
		var ms []*machine
		for _, id := range []string{"a", "b", "c"} {
			ms = append(ms, l.machine(id, func(c *Config) { c.NonvoterExpiry = limit }).start())
		}
		l.settle(ms...)
		d := l.machine("d", joiner, func(c *Config) { c.Voter, c.NonvoterExpiry = false, limit }).start()
		l.settle(d)
		leader := l.awaitLeader()
		voter := l.followers()[0]
		if voter == d {
			voter = l.followers()[1]
		}
		for _, gone := range []*machine{d, voter} {
			l.net.Isolate(gone.ip, "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
		}
		time.Sleep(limit * 8 / 10)
		if leader.suffrage("d") == "" {
			t.Fatal("d was dropped too early")
		}
		l.eventually(limit/2, "d is dropped", func() bool { return leader.suffrage("d") == "" })
		if leader.suffrage(voter.cfg.NodeID) != "voter" {
			t.Error("a voter was removed without an operator")
		}
		l.net.Heal()
		l.eventually(time.Minute, "d is admitted again", func() bool { return leader.suffrage("d") == "nonvoter" })
		l.eventually(30*time.Second, "the voter is back", func() bool { return voter.node.Status().HasQuorum })
		ms[0].mustPropose("all together")
	})
}

func TestRemove(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		leader := l.awaitLeader()
		ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
		defer cancel()
		if _, err := ms[0].node.Remove(ctx, nil, "nobody"); !errors.Is(err, ErrUnknownNode) {
			t.Errorf("removing nobody: %v", err)
		}
		// Removing the leader moves the leadership first.
		gone := leader.cfg.NodeID
		if _, err := l.followers()[0].node.Remove(ctx, nil, gone); err != nil {
			t.Fatalf("removing the leader: %v", err)
		}
		rest := []*machine{}
		for _, m := range ms {
			if m != leader {
				rest = append(rest, m)
			}
		}
		l.eventually(5*time.Second, "it is off the record", func() bool {
			return rest[0].suffrage(gone) == "" && rest[0].node.Store().State().Node(gone) == nil
		})
		l.eventually(30*time.Second, "the removed node knows", func() bool { return leader.node.Status().State == StateRemoved })
		// With one of the two that are left cut off, the other is needed.
		_ = leader.stop()
		now := l.awaitLeader()
		other := rest[0]
		if other == now {
			other = rest[1]
		}
		if _, err := now.node.Remove(ctx, nil, other.cfg.NodeID); err != nil {
			t.Fatalf("from two to one: %v", err)
		}
		if _, err := now.node.Remove(ctx, nil, now.cfg.NodeID); !errors.Is(err, ErrLastVoter) {
			t.Errorf("removing the last: %v", err)
		}
		// A restart is how a removed node asks to come back.
		leader.start()
		l.settle(leader)
		if got := now.suffrage(gone); got != "nonvoter" {
			t.Errorf("the removed node came back as %q", got)
		}
	})
}

func TestRemoveKeepsTheQuorum(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader, away, other := l.awaitLeader(), l.followers()[0], l.followers()[1]
		away.kill()
		time.Sleep(3 * time.Second)
		if _, err := leader.node.Remove(l.t.Context(), nil, other.cfg.NodeID); !errors.Is(err, ErrWouldLoseQuorum) || !NotExecuted(err) {
			t.Errorf("removing a node that is needed: %v", err)
		}
		if _, err := other.node.Remove(l.t.Context(), nil, away.cfg.NodeID); err != nil {
			t.Errorf("removing the dead one, through a follower: %v", err)
		}
	})
}

// A leader that has just won has not heard of everybody yet: who is there is not taken for gone.
func TestRemoveAfterAnElection(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		old, target, other := l.awaitLeader(), l.followers()[0], l.followers()[1]
		if err := old.node.Transfer(l.t.Context(), nil, target.cfg.NodeID); err != nil {
			t.Fatal(err)
		}
		l.eventually(5*time.Second, "the target leads", func() bool { return l.leader() == target })
		for _, m := range []*machine{old, other} {
			target.node.contacts.change(raft.ServerID(m.cfg.NodeID), func(c *contact) { *c = contact{} })
		}
		if _, err := target.node.Remove(l.t.Context(), nil, old.cfg.NodeID); err != nil {
			t.Errorf("removing another node: %v", err)
		}
	})
}

func TestTransfer(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader, target, via := l.awaitLeader(), l.followers()[0], l.followers()[1]
		if err := via.node.Transfer(l.t.Context(), nil, target.cfg.NodeID); err != nil {
			t.Fatal(err)
		}
		l.eventually(5*time.Second, "the target leads", func() bool { return l.leader() == target })
		if err := leader.node.Transfer(l.t.Context(), nil, "nobody"); !errors.Is(err, ErrUnknownNode) {
			t.Errorf("to nobody: %v", err)
		}
	})
}

func TestForeignNodeIsRefused(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		stranger := l.machine("x", func(c *Config) { c.BootstrapExpect, c.Join = 1, nil }).start()
		l.settle(stranger)
		if err := stranger.stop(); err != nil {
			t.Fatal(err)
		}
		stranger.cfg.Join = ms[0].cfg.Join
		stranger.start()
		time.Sleep(30 * time.Second)
		if got := ms[0].suffrage("x"); got != "" {
			t.Errorf("a node of another cluster became a %s", got)
		}
		if len(ms[0].node.configuration()) != 3 {
			t.Error("the configuration changed")
		}
	})
}

func TestVoteIsGivenBack(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		m := l.followers()[0]
		if err := m.stop(); err != nil {
			l.t.Fatal(err)
		}
		m.cfg.Voter = false
		m.start()
		l.settle(m)
		id := m.cfg.NodeID
		l.eventually(5*time.Second, "it has no vote", func() bool { return l.awaitLeader().suffrage(id) == "nonvoter" })
		time.Sleep(15 * time.Second)
		if got := l.awaitLeader().suffrage(id); got != "nonvoter" {
			l.t.Errorf("it became a %s", got)
		}
	})
}

func TestAddressOfAnotherNode(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader, taken := l.awaitLeader(), l.followers()[0]
		request := taken.node.joinRequest()
		request.NodeId = "impostor"
		if err := leader.node.admit(l.t.Context(), request); !errors.Is(err, ErrAddressInUse) || !NotExecuted(err) {
			l.t.Errorf("%v", err)
		}
	})
}
