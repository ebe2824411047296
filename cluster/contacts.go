package cluster

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// contacts is what this node, as a leader, knows of its followers from their
// answers. Raft keeps this to itself.
type contacts struct {
	mu    sync.Mutex
	peers map[raft.ServerID]*contact
	// advances counts the answers that showed a longer log than before, and the
	// parts of snapshots that were sent.
	advances uint64
}

type contact struct {
	// at is the time of the last answer, lastLog the log it told of.
	at      time.Time
	lastLog uint64
	// asked is when a heartbeat last began or ended, inFlight how many are unanswered.
	asked    time.Time
	inFlight int
	// came is when it last asked to be admitted.
	came time.Time
}

func newContacts() *contacts { return &contacts{peers: map[raft.ServerID]*contact{}} }

func (c *contacts) get(id raft.ServerID) contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.peers[id]; p != nil {
		return *p
	}
	return contact{}
}

func (c *contacts) change(id raft.ServerID, change func(*contact)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.peers[id]
	if p == nil {
		p = &contact{}
		c.peers[id] = p
	}
	change(p)
}

func (c *contacts) ask(id raft.ServerID) {
	c.change(id, func(p *contact) { p.asked, p.inFlight = time.Now(), p.inFlight+1 })
}

func (c *contacts) unanswered(id raft.ServerID) {
	c.change(id, func(p *contact) { p.asked, p.inFlight = time.Now(), p.inFlight-1 })
}

func (c *contacts) answered(id raft.ServerID, lastLog uint64) {
	c.change(id, func(p *contact) {
		if lastLog > p.lastLog {
			c.advances++
		}
		p.at, p.lastLog = time.Now(), lastLog
	})
}

func (c *contacts) admitted(id raft.ServerID) {
	c.change(id, func(p *contact) { p.came = time.Now() })
}

// advance notes that a peer is getting what it lacks.
func (c *contacts) advance() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advances++
}

// progress changes whenever a peer catches up by something.
func (c *contacts) progress() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.advances
}
