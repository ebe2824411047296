package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	handshakeTimeout = 5 * time.Second
	// waitingHandshakes bounds what strangers can make a node hold.
	waitingHandshakes = 64
	// waitingPerHost bounds what one stranger can, so that peers find room.
	waitingPerHost = 16
)

// errNotVetted: the other nodes have not been asked yet whether this disk is what it was.
var errNotVetted = errors.New("this node's disk is not vetted yet")

// streamLayer carries raft's connections, over mutual TLS if configured. It
// keeps track of every connection, so that closing it ends them all: raft's own
// transport leaves its pooled and accepted ones open.
type streamLayer struct {
	net.Listener
	advertise net.Addr
	network   Network
	tls       TLS
	role      string
	log       *slog.Logger

	// vetted: the node may take part. Until then nothing comes in or goes out.
	vetted   atomic.Bool
	accepted chan net.Conn
	closing  chan struct{}
	once     sync.Once
	tasks    sync.WaitGroup

	mu    sync.Mutex
	conns map[*trackedConn]struct{}
	// waiting counts the handshakes under way by host.
	waiting map[string]int
}

type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

func listenRaft(cfg *Config) (*streamLayer, error) {
	listener, err := cfg.Network.Listen(cfg.RaftBind)
	if err != nil {
		return nil, fmt.Errorf("listening for raft: %w", err)
	}
	s := &streamLayer{
		Listener: listener, advertise: advertised(cfg.RaftAdvertise), network: cfg.Network,
		tls: cfg.TLS, role: cfg.role(), log: cfg.Logger,
		accepted: make(chan net.Conn), closing: make(chan struct{}),
		conns: map[*trackedConn]struct{}{}, waiting: map[string]int{},
	}
	s.tasks.Go(s.listen)
	return s, nil
}

// Addr is what peers dial.
func (s *streamLayer) Addr() net.Addr { return s.advertise }

// Accept returns a connection whose handshake is done.
func (s *streamLayer) Accept() (net.Conn, error) {
	select {
	case conn := <-s.accepted:
		return conn, nil
	case <-s.closing:
		return nil, net.ErrClosed
	}
}

// Dial connects to a peer.
func (s *streamLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	if !s.vetted.Load() {
		return nil, errNotVetted
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout) //nolint:forbidigo // raft dials without a context; the deadline bounds it
	defer cancel()
	go func() { // raft waits for its dials before it ends
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := s.network.Dial(ctx, string(address))
	if err != nil {
		return nil, err
	}
	tracked, err := s.track(conn)
	if err != nil || s.tls == nil {
		return tracked, err
	}
	client := tls.Client(tracked, atLeast13(s.tls.ClientConfig(s.role)))
	if err := client.HandshakeContext(ctx); err != nil {
		_ = tracked.Close()
		return nil, fmt.Errorf("handshake with %s: %w", address, err)
	}
	return client, nil
}

// Close ends the listener and every connection, and waits for what it started.
func (s *streamLayer) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		err = s.Listener.Close()
		s.mu.Lock()
		conns := s.conns
		s.conns = nil
		s.mu.Unlock()
		for conn := range conns {
			_ = conn.Conn.Close()
		}
	})
	s.tasks.Wait()
	return err
}

func (s *streamLayer) listen() {
	slots := make(chan struct{}, waitingHandshakes)
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			select {
			case <-s.closing:
				return
			case <-time.After(50 * time.Millisecond): // such as: no file descriptors left
				s.log.Warn("raft connection not accepted", "error", err)
				continue
			}
		}
		if !s.vetted.Load() {
			_ = conn.Close()
			continue
		}
		tracked, err := s.track(conn)
		if err != nil {
			return
		}
		if !s.begin(tracked) {
			_ = tracked.Close()
			continue
		}
		select {
		case slots <- struct{}{}:
			s.tasks.Go(func() {
				defer func() { <-slots }()
				defer s.ended(tracked)
				s.handshake(tracked)
			})
		default:
			s.ended(tracked)
			_ = tracked.Close()
		}
	}
}

// begin counts a handshake; false if its host has too many under way.
func (s *streamLayer) begin(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	host := remoteHost(conn)
	if s.tls != nil && s.waiting[host] >= waitingPerHost {
		return false
	}
	s.waiting[host]++
	return true
}

func (s *streamLayer) ended(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	host := remoteHost(conn)
	if s.waiting[host]--; s.waiting[host] <= 0 {
		delete(s.waiting, host)
	}
}

func remoteHost(conn net.Conn) string {
	address := conn.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// handshake runs outside Accept, so that a silent stranger delays nobody.
func (s *streamLayer) handshake(conn net.Conn) {
	if s.tls != nil {
		server := tls.Server(conn, atLeast13(s.tls.ServerConfig()))
		ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout) //nolint:forbidigo // raft accepts without a context; the deadline bounds it
		defer cancel()
		err := server.HandshakeContext(ctx)
		if err == nil {
			err = checkRole(server.ConnectionState(), s.role)
		}
		if err != nil {
			s.log.Warn("raft connection refused", "remote", conn.RemoteAddr().String(), "error", err)
			_ = conn.Close()
			return
		}
		conn = server
	}
	select {
	case s.accepted <- conn:
	case <-s.closing:
		_ = conn.Close()
	}
}

type trackedConn struct {
	net.Conn
	layer *streamLayer
}

// Close closes and forgets the connection.
func (c *trackedConn) Close() error {
	c.layer.mu.Lock()
	delete(c.layer.conns, c)
	c.layer.mu.Unlock()
	return c.Conn.Close()
}

func (s *streamLayer) track(conn net.Conn) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	tracked := &trackedConn{conn, s}
	s.conns[tracked] = struct{}{}
	return tracked, nil
}
