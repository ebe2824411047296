package cluster

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// hungLog is a disk that can hang.
type hungLog struct {
	raft.LogStore
	mu   sync.Mutex
	hung chan struct{}
}

func (h *hungLog) hang() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hung = make(chan struct{})
}

func (h *hungLog) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hung != nil {
		close(h.hung)
		h.hung = nil
	}
}

func (h *hungLog) StoreLogs(logs []*raft.Log) error {
	h.mu.Lock()
	hung := h.hung
	h.mu.Unlock()
	if hung != nil {
		<-hung
	}
	return h.LogStore.StoreLogs(logs)
}

func (h *hungLog) StoreLog(log *raft.Log) error { return h.StoreLogs([]*raft.Log{log}) }

func TestHungDiskEndsTheLeader(t *testing.T) {
	bubble(t, func(l *lab) {
		disks := map[string]*hungLog{}
		var ms []*machine
		for _, id := range []string{"a", "b", "c"} {
			m := l.machine(id)
			m.wrapLog = func(log raft.LogStore) raft.LogStore {
				disks[id] = &hungLog{LogStore: log}
				return disks[id]
			}
			ms = append(ms, m.start())
		}
		l.settle(ms...)
		leader, survivor := l.awaitLeader(), l.followers()[0]
		id := leader.cfg.NodeID
		disks[id].hang()
		defer disks[id].release()
		start := time.Now()
		if _, err := leader.propose(time.Second, poll("into the void")); !errors.Is(err, ErrUnknownOutcome) {
			l.t.Errorf("a write to a hung disk: %v", err)
		}
		select {
		case who := <-l.exits:
			if who != id {
				l.t.Errorf("%s exits, %s hangs", who, id)
			}
		case <-time.After(10 * time.Second):
			l.t.Fatal("the leader hangs for ever")
		}
		t.Logf("gave up after %s", time.Since(start))
		l.net.Down(leader.ip)
		if _, err := survivor.propose(3*time.Second, poll("elsewhere")); err != nil {
			l.t.Errorf("I14: %v", err)
		}
	})
}

func TestIdleLeaderWithHungDiskIsNoticed(t *testing.T) {
	bubble(t, func(l *lab) {
		var disk *hungLog
		m := l.machine("a", func(c *Config) { c.BootstrapExpect, c.Join = 1, nil })
		m.wrapLog = func(log raft.LogStore) raft.LogStore {
			disk = &hungLog{LogStore: log}
			return disk
		}
		m.start()
		l.settle(m)
		disk.hang()
		defer disk.release()
		select {
		case <-l.exits:
		case <-time.After(15 * time.Second):
			l.t.Fatal("nobody looks")
		}
	})
}

func TestWatchdogLeavesTheHealthyAlone(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		for _, m := range l.followers() {
			l.net.Isolate(m.ip, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		}
		time.Sleep(15 * time.Second)
		l.net.Heal()
		time.Sleep(15 * time.Second)
		if len(l.exits) > 0 {
			l.t.Errorf("%s gave up: losing the quorum is no reason", <-l.exits)
		}
		leader.mustPropose("afterwards")
	})
}
