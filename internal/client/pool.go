package client

import (
	"sync"
	"time"
)

// maxHinted bounds how many addresses answers may add to those that were configured.
const maxHinted = 16

// pool chooses the node to call: the one that answered last, and the others in turn while that one is avoided.
type pool struct {
	open func(address string) *endpoint

	mu        sync.Mutex
	endpoints []*endpoint
	avoided   map[*endpoint]time.Time
	current   int
	hinted    int
	closed    bool
}

func newPool(addresses []string, open func(string) *endpoint) *pool {
	p := &pool{open: open, avoided: map[*endpoint]time.Time{}}
	for _, address := range addresses {
		p.endpoints = append(p.endpoints, open(address))
	}
	return p
}

// pick returns the current endpoint or, while it is avoided, the next one that is not. If all are avoided it
// returns the one that has been for longest. fresh reports that the endpoint is not avoided.
func (p *pool) pick(now time.Time) (chosen *endpoint, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := p.endpoints[p.current]
	for i := range p.endpoints {
		candidate := p.endpoints[(p.current+i)%len(p.endpoints)]
		if !p.avoided[candidate].After(now) {
			return candidate, true
		}
		if p.avoided[candidate].Before(p.avoided[best]) {
			best = candidate
		}
	}
	return best, false
}

// avoid passes an endpoint over until a time.
func (p *pool) avoid(e *endpoint, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.avoided[e] = until
}

// prefer stays with an endpoint that answered.
func (p *pool) prefer(e *endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.avoided, e)
	for i, candidate := range p.endpoints {
		if candidate == e {
			p.current = i
		}
	}
}

// hint makes the leader's address the next to be tried, unless it is being avoided: the nodes that are left go on
// naming a leader that has just died.
func (p *pool) hint(address string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, candidate := range p.endpoints {
		if candidate.address == address {
			if !p.avoided[candidate].After(now) {
				p.current = i
			}
			return
		}
	}
	if p.hinted == maxHinted || p.closed {
		return
	}
	p.hinted++
	p.endpoints = append(p.endpoints, p.open(address))
	p.current = len(p.endpoints) - 1
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, e := range p.endpoints {
		e.close()
	}
}
