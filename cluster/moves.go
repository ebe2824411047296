package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"
)

// moveWait bounds how long a change of an address waits for the replication to the server.
const moveWait = time.Second

var errMoving = errors.New("the server's address is being changed")

// move keeps the replication to a server still while raft is told its new address. After an answer raft 1.8.0 reads the
// peer, and with it the address, without the lock under which it changes it: https://github.com/hashicorp/raft/issues/681.
// A replication that asks to send again has done its reading, and is turned away until raft knows the address.
type move struct {
	id raft.ServerID
	to raft.ServerAddress
	// turned tells of each time that the replication was turned away.
	turned signal
}

// turnsAway reports whether the replication to an address has to wait.
func (t *transport) turnsAway(id raft.ServerID, address raft.ServerAddress) bool {
	m := t.moving.Load()
	if m == nil || m.id != id || m.to == address {
		return false
	}
	m.turned.notify()
	return true
}

// readdress changes the configuration while the replication to a server, whose address in it is another one, stands still.
// The admission is the caller's, so that one server moves at a time.
func (n *Node) readdress(ctx context.Context, s raft.Server, change func() error) error {
	m := &move{id: s.ID, to: s.Address}
	still := m.turned.changed()
	n.transport.moving.Store(m)
	defer n.transport.moving.Store(nil)
	timer := time.NewTimer(moveWait)
	defer timer.Stop()
	select {
	case <-still:
	case <-timer.C: // nothing is answered there, so that raft reads nothing either
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return change()
}
