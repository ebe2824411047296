// Package listen bounds the connections that a port holds, so that one host,
// or many, cannot keep the others out.
package listen

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Config says how many connections a port holds.
type Config struct {
	// Total bounds all of them, PerHost those from one address; at least 1.
	Total, PerHost int
	// Logger is told of refusals, at most once a second.
	Logger *slog.Logger
}

// ErrConfig says that a bound is not positive.
var ErrConfig = errors.New("a port holds at least one connection, and one of each host")

// listener closes what is beyond the bounds at once: who waits in the kernel's
// queue would keep others waiting.
type listener struct {
	net.Listener
	config Config

	mu      sync.Mutex
	total   int
	hosts   map[string]int
	refused int
	said    time.Time
}

// New bounds a listener; closing it closes the other.
func New(l net.Listener, c Config) (net.Listener, error) {
	if c.Total < 1 || c.PerHost < 1 {
		return nil, ErrConfig
	}
	return &listener{Listener: l, config: c, hosts: map[string]int{}}, nil
}

// Accept returns the next connection within the bounds.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := hostOf(conn)
		if l.take(host) {
			return &counted{Conn: conn, release: sync.OnceFunc(func() { l.release(host) })}, nil
		}
		_ = conn.Close()
	}
}

func hostOf(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return conn.RemoteAddr().String()
	}
	return host
}

func (l *listener) take(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total < l.config.Total && l.hosts[host] < l.config.PerHost {
		l.total++
		l.hosts[host]++
		return true
	}
	l.refused++
	if now := time.Now(); now.Sub(l.said) >= time.Second {
		l.config.Logger.Warn("too many connections", "remote", host, "from_it", l.hosts[host], "all", l.total, "refused", l.refused)
		l.said, l.refused = now, 0
	}
	return false
}

func (l *listener) release(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.hosts[host]--; l.hosts[host] == 0 {
		delete(l.hosts, host)
	}
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	release func()
}

// Close closes the connection.
func (c *counted) Close() error {
	c.release()
	return c.Conn.Close()
}
