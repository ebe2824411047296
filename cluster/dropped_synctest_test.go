package cluster

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// deaf hangs up on whoever speaks raft to a machine, while it is on.
type deaf struct {
	Network
	on atomic.Bool
}

// Listen returns a listener that hangs up.
func (d *deaf) Listen(address string) (net.Listener, error) {
	l, err := d.Network.Listen(address)
	if err != nil || address != ":7701" {
		return l, err
	}
	return deafListener{l, d}, nil
}

type deafListener struct {
	net.Listener
	deaf *deaf
}

// Accept hangs up and goes on, while its machine is deaf.
func (l deafListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.deaf.on.Load() {
			return conn, err
		}
		_ = conn.Close()
	}
}

// A node that is dropped between its admission and the first entry it gets hears from nobody and knows no cluster: it
// has to ask once more by itself.
func TestDroppedBeforeTheFirstEntry(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		network := &deaf{}
		network.on.Store(true)
		d := l.machine("d", joiner)
		network.Network, d.cfg.Network = d.cfg.Network, network
		d.start()
		l.eventually(10*time.Second, "d is admitted", func() bool { return leader.suffrage("d") == "nonvoter" })
		if _, err := leader.node.Remove(l.t.Context(), nil, "d"); err != nil {
			t.Fatal(err)
		}
		if d.node.clusterID() != "" {
			t.Fatal("d has heard of the cluster")
		}
		network.on.Store(false)
		l.settle(d)
		l.eventually(30*time.Second, "d is promoted", func() bool { return leader.suffrage("d") == "voter" })
	})
}

// Gossip may still say that a node left when it has come back, and its last answer is of before: it is not gone.
func TestReturnedIsNotGone(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		d := l.machine("d", joiner, func(c *Config) { c.Voter = false }).start()
		l.settle(d)
		time.Sleep(leaveGrace * 2)
		n := l.awaitLeader().node
		m, _ := n.gossip.get("d")
		m.Status = MemberLeft
		n.gossip.put(m)
		n.contacts.change("d", func(c *contact) { c.at = time.Now().Add(-leaveGrace * 2) })
		if !n.gone(n.leading.Load(), "d") {
			t.Error("a node that left and is silent is kept")
		}
		if err := n.admit(l.t.Context(), d.node.joinRequest()); err != nil {
			t.Fatal(err)
		}
		n.contacts.change("d", func(c *contact) { c.at = time.Now().Add(-leaveGrace * 2) })
		if n.gone(n.leading.Load(), "d") {
			t.Error("a node that has just asked to be admitted counts as gone")
		}
	})
}
