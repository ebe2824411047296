package memnet

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/test/bufconn"
)

const bufferSize = 64 << 10

// conn is one end of a connection. What is written across a cut is lost, and
// the connection with it once the cut is healed.
type conn struct {
	net.Conn
	net      *Network
	from, to string
	lossy    bool // guarded by net.mu
}

func (n *Network) connect(from, to string) (*conn, *conn) {
	left, right := pipe()
	mine, theirs := &conn{Conn: left, net: n, from: from, to: to}, &conn{Conn: right, net: n, from: to, to: from}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[mine], n.conns[theirs] = struct{}{}, struct{}{}
	return mine, theirs
}

// opening is held while a pipe is made. Each begins with timers of no delay. In a bubble such a timer runs at once, on the
// goroutine that makes it, and two that run at the same time share one context of the race detector, which ends the process
// with a segmentation violation (Go 1.26, runtime.timer.unlockAndRun: one raceCtx for each bubble).
var opening sync.Mutex

// pipe returns the two ends of a buffered connection with deadlines.
func pipe() (net.Conn, net.Conn) {
	opening.Lock()
	defer opening.Unlock()
	l := bufconn.Listen(bufferSize)
	defer l.Close()
	dialed := make(chan net.Conn)
	go func() {
		c, _ := l.DialContext(context.Background()) // the listener is open until both ends are there
		dialed <- c
	}()
	accepted, _ := l.Accept()
	return <-dialed, accepted
}

// Write sends, or loses what it is given.
func (c *conn) Write(p []byte) (int, error) {
	c.net.mu.Lock()
	cut := c.net.isCut(c.from, c.to)
	if cut {
		c.lossy = true
	}
	lag, reset := c.net.weather.stream()
	c.net.mu.Unlock()
	if lag > 0 {
		<-time.NewTimer(lag).C
	}
	if reset {
		_ = c.Close()
		return 0, ErrReset
	}
	if cut {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close ends the connection.
func (c *conn) Close() error {
	c.net.mu.Lock()
	delete(c.net.conns, c)
	c.net.mu.Unlock()
	return c.Conn.Close()
}

// LocalAddr is this end's host.
func (c *conn) LocalAddr() net.Addr { return address(c.from + ":0") }

// RemoteAddr is the other end's host.
func (c *conn) RemoteAddr() net.Addr { return address(c.to + ":0") }
