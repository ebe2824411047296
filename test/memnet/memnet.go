// Package memnet is a network in memory: hosts with addresses, listeners,
// buffered connections and gossip, which can be cut, isolated and switched off.
// Everything it blocks on is a channel or a condition, so that it works inside
// a testing/synctest bubble, where a cluster's hours take milliseconds.
package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

const backlog = 64

var (
	// ErrRefused: nobody listens at the address.
	ErrRefused = errors.New("memnet: connection refused")
	// ErrDown: this host is switched off.
	ErrDown = errors.New("memnet: the host is down")
)

// Network is a set of hosts, all of which reach each other until they are cut.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	gossips   map[string]*Gossip
	conns     map[*conn]struct{}
	cuts      map[[2]string]bool
	down      map[string]bool
	weather   Weather
}

// New returns an empty network.
func New() *Network {
	return &Network{
		listeners: map[string]*listener{}, gossips: map[string]*Gossip{},
		conns: map[*conn]struct{}{}, cuts: map[[2]string]bool{}, down: map[string]bool{},
	}
}

// Host returns the host with an IP address, such as 10.0.0.1.
func (n *Network) Host(ip string) *Host { return &Host{n, ip} }

// Cut makes two hosts lose everything that they send each other, without a word.
func (n *Network) Cut(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[pair(a, b)] = true
}

// Isolate cuts a host from the others.
func (n *Network) Isolate(ip string, others ...string) {
	for _, other := range others {
		if other != ip {
			n.Cut(ip, other)
		}
	}
}

// Heal undoes all cuts. Connections that lost something are reset.
func (n *Network) Heal() {
	n.mu.Lock()
	clear(n.cuts)
	var broken []*conn
	for c := range n.conns {
		if c.lossy {
			broken = append(broken, c)
		}
	}
	n.mu.Unlock()
	for _, c := range broken {
		_ = c.Close()
	}
}

// Down switches a host off: its listeners and connections end, and it opens
// none until it is Up.
func (n *Network) Down(ip string) {
	n.mu.Lock()
	n.down[ip] = true
	var ended []interface{ Close() error }
	for _, l := range n.listeners {
		if l.ip == ip {
			ended = append(ended, l)
		}
	}
	for c := range n.conns {
		if c.from == ip || c.to == ip {
			ended = append(ended, c)
		}
	}
	n.mu.Unlock()
	for _, e := range ended {
		_ = e.Close()
	}
}

// Up switches a host on.
func (n *Network) Up(ip string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.down, ip)
}

func (n *Network) isCut(a, b string) bool { return n.cuts[pair(a, b)] }

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// Host is one machine's view of the network.
type Host struct {
	net *Network
	ip  string
}

// Listen accepts connections at a port of the host; the host part of the
// address may be empty.
func (h *Host) Listen(address string) (net.Listener, error) {
	return h.listen("", address)
}

func (h *Host) listen(space, address string) (net.Listener, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	key := space + net.JoinHostPort(h.ip, port)
	switch {
	case h.net.down[h.ip]:
		return nil, ErrDown
	case h.net.listeners[key] != nil:
		return nil, fmt.Errorf("memnet: %s is in use", key)
	}
	l := &listener{net: h.net, ip: h.ip, key: key, waiting: make(chan net.Conn, backlog), done: make(chan struct{})}
	h.net.listeners[key] = l
	return l, nil
}

// Dial connects to a listener. Across a cut it waits for the context's end.
func (h *Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	return h.dial(ctx, "", address)
}

func (h *Host) dial(ctx context.Context, space, address string) (net.Conn, error) {
	ip, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	h.net.mu.Lock()
	down, cut, l := h.net.down[h.ip], h.net.isCut(h.ip, ip), h.net.listeners[space+address]
	h.net.mu.Unlock()
	switch {
	case down:
		return nil, ErrDown
	case cut:
		<-ctx.Done()
		return nil, ctx.Err()
	case l == nil:
		return nil, fmt.Errorf("%w: %s", ErrRefused, address)
	}
	mine, theirs := h.net.connect(h.ip, ip)
	select {
	case l.waiting <- theirs:
		return mine, nil
	case <-l.done:
	default:
	}
	_, _ = mine.Close(), theirs.Close()
	return nil, fmt.Errorf("%w: %s", ErrRefused, address)
}

type listener struct {
	net     *Network
	ip, key string
	waiting chan net.Conn
	done    chan struct{}
	once    sync.Once
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listener and what waits at it.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, l.key)
		l.net.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.waiting:
				_ = c.Close()
			default:
				return
			}
		}
	})
	return nil
}

// Addr is the listener's address.
func (l *listener) Addr() net.Addr { return address(l.key) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
