package memnet

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	gossipSpace  = "gossip/"
	packetBuffer = 256
)

// Gossip is a transport for memberlist. Packets that find no room are dropped,
// as the network would.
type Gossip struct {
	host    *Host
	address string
	packets chan *memberlist.Packet
	streams chan net.Conn
	accept  net.Listener
	done    chan struct{}
	once    sync.Once
	tasks   sync.WaitGroup
}

// Gossip returns the host's gossip transport at a port.
func (h *Host) Gossip(bind string) (memberlist.Transport, error) {
	l, err := h.listen(gossipSpace, bind)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(bind)
	if err != nil {
		return nil, err
	}
	g := &Gossip{
		host: h, address: net.JoinHostPort(h.ip, port), accept: l, done: make(chan struct{}),
		packets: make(chan *memberlist.Packet, packetBuffer), streams: make(chan net.Conn),
	}
	h.net.mu.Lock()
	h.net.gossips[g.address] = g
	h.net.mu.Unlock()
	g.tasks.Go(g.serve)
	return g, nil
}

func (g *Gossip) serve() {
	for {
		c, err := g.accept.Accept()
		if err != nil {
			return
		}
		select {
		case g.streams <- c:
		case <-g.done:
			_ = c.Close()
		}
	}
}

// FinalAdvertiseAddr returns what the node was configured with.
func (g *Gossip) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	parsed := net.ParseIP(ip)
	if parsed == nil {
		return nil, 0, fmt.Errorf("memnet: %q is no address", ip)
	}
	return parsed, port, nil
}

// WriteTo sends a packet, which may be lost.
func (g *Gossip) WriteTo(b []byte, to string) (time.Time, error) {
	now := time.Now()
	ip, _, err := net.SplitHostPort(to)
	if err != nil {
		return now, err
	}
	n := g.host.net
	n.mu.Lock()
	peer := n.gossips[to]
	lost := peer == nil || n.down[g.host.ip] || n.down[ip] || n.isCut(g.host.ip, ip)
	copies := n.weather.packet()
	n.mu.Unlock()
	if lost {
		return now, nil
	}
	for range copies {
		select {
		case peer.packets <- &memberlist.Packet{Buf: append([]byte(nil), b...), From: address(g.address), Timestamp: now}:
		default:
		}
	}
	return now, nil
}

// PacketCh delivers packets.
func (g *Gossip) PacketCh() <-chan *memberlist.Packet { return g.packets }

// DialTimeout connects to a peer.
func (g *Gossip) DialTimeout(to string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return g.host.dial(ctx, gossipSpace, to)
}

// StreamCh delivers connections.
func (g *Gossip) StreamCh() <-chan net.Conn { return g.streams }

// Shutdown ends the transport.
func (g *Gossip) Shutdown() error {
	g.once.Do(func() {
		n := g.host.net
		n.mu.Lock()
		if n.gossips[g.address] == g {
			delete(n.gossips, g.address)
		}
		n.mu.Unlock()
		close(g.done)
		_ = g.accept.Close()
		g.tasks.Wait()
	})
	return nil
}

// Addr makes an address of a host and a port.
func Addr(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }
