package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// moveWait bounds how long a change of an address waits for the replication to the server.
const moveWait = time.Second

var errMoving = errors.New("the server's address is being changed")

// moves keeps the replication to a server still while raft is told its new address. After an answer raft 1.8.0 reads the
// peer, and with it the address, without the lock under which it changes it: https://github.com/hashicorp/raft/issues/681.
// A replication that asks to send again has done its reading, and is turned away until raft knows the address.
type moves struct {
	mu    sync.Mutex
	under map[raft.ServerID]*move
}

type move struct {
	to raft.ServerAddress
	// still is closed once the replication was turned away.
	still  chan struct{}
	closed bool
}

// begin turns away what goes to other addresses of a server, until end.
func (m *moves) begin(id raft.ServerID, to raft.ServerAddress) (still <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.under == nil {
		m.under = map[raft.ServerID]*move{}
	}
	started := &move{to: to, still: make(chan struct{})}
	m.under[id] = started
	return started.still
}

func (m *moves) end(id raft.ServerID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.under, id)
}

// turnsAway reports whether the replication to an address has to wait.
func (m *moves) turnsAway(id raft.ServerID, address raft.ServerAddress) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	current := m.under[id]
	if current == nil || current.to == address {
		return false
	}
	if !current.closed {
		current.closed = true
		close(current.still)
	}
	return true
}

// readdress changes the configuration while the replication to a server, whose address in it is another one, stands still.
func (n *Node) readdress(ctx context.Context, s raft.Server, change func() error) error {
	moves := &n.transport.moves
	still := moves.begin(s.ID, s.Address)
	defer moves.end(s.ID)
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
