package cluster

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// replication reads a peer as raft does: with its lock before it sends, without it after an answer.
type replication struct {
	mu   sync.Mutex
	peer raft.Server
	// reads is set from when it sends until it has read the peer after the answer.
	reads atomic.Bool
}

func (r *replication) run(t *transport, until raft.ServerAddress) {
	for answered := raft.ServerAddress(""); answered != until; {
		r.mu.Lock()
		peer := r.peer
		r.mu.Unlock()
		if t.turnsAway(peer.ID, peer.Address) {
			<-time.After(10 * time.Millisecond)
			continue
		}
		r.reads.Store(true)
		<-time.After(commitTimeout)
		answered = r.peer.Address
		r.reads.Store(false)
	}
}

// The address of a peer is changed while its replication stands still; others go on.
func TestReplicationStandsStillForAMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Node{transport: &transport{}}
		b := &replication{peer: raft.Server{ID: "b", Address: "10.0.0.2:7701"}}
		moved := raft.Server{ID: "b", Address: "10.0.1.2:7701"}
		var group sync.WaitGroup
		group.Go(func() { b.run(n.transport, moved.Address) })
		<-time.After(commitTimeout / 2)
		err := n.readdress(t.Context(), moved, func() error {
			if n.transport.turnsAway("c", "10.0.0.3:7701") || n.transport.turnsAway("b", moved.Address) {
				t.Error("another server, or the new address, was turned away")
			}
			if b.reads.Load() {
				t.Error("the peer was changed while raft may read it")
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.peer = moved
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		group.Wait()
		if n.transport.turnsAway("b", "10.0.0.2:7701") {
			t.Error("the move has not ended")
		}
	})
}

// A server that nothing is sent to is not waited for long, and a failed change ends the move as well.
func TestMoveOfASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Node{transport: &transport{}}
		begun, failed := time.Now(), errors.New("not the leader any more")
		if err := n.readdress(t.Context(), raft.Server{ID: "b", Address: "new"}, func() error { return failed }); !errors.Is(err, failed) {
			t.Errorf("%v", err)
		}
		if took := time.Since(begun); took != moveWait {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.readdress(ctx, raft.Server{ID: "b", Address: "new"}, func() error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if n.transport.turnsAway("b", "old") {
			t.Error("the move has not ended")
		}
	})
}
