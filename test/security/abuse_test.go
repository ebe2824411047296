package security

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// abuser is a host that opens connections and says next to nothing on them.
type abuser struct {
	dialer net.Dialer
	work   sync.WaitGroup

	mu     sync.Mutex
	opened int
	closed map[string]int
}

// hold opens many connections to a port and keeps each alive with a byte now and then, as slow clients do. What the
// other side closes is counted and opened again: an abuser does not give up.
func (a *abuser) hold(ctx context.Context, port, address string, many int) {
	for range many {
		a.work.Go(func() {
			for ctx.Err() == nil {
				a.one(ctx, port, address)
				if !harness.Pause(ctx, 200*time.Millisecond) {
					return
				}
			}
		})
	}
}

func (a *abuser) one(ctx context.Context, port, address string) {
	conn, err := a.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	a.count(port, false)
	for {
		if _, err := conn.Write([]byte{0x16}); err != nil {
			break
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			break
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil && !isTimeout(err) {
			break
		}
	}
	a.count(port, true)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func (a *abuser) count(port string, closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if closed {
		a.closed[port]++
		return
	}
	a.opened++
}

func (a *abuser) counts() (opened int, closed map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	closed = map[string]int{}
	for port, n := range a.closed {
		closed[port] = n
	}
	return a.opened, closed
}

// Hundreds of slow connections to each port of each node starve nobody: leadership stays where it is, writes are
// acknowledged within their deadlines, a commit is deployed (I14), and requests are answered.
func TestSlowClientsStarveNobody(t *testing.T) {
	t.Parallel()
	const perPort = 200
	c := harness.Start(t, harness.Options{Secure: true, Adjust: func(_ *harness.Node, settings harness.Section) {
		// What is shown is that connections change nothing, not how fast this machine is.
		settings["Cluster"].(harness.Section)["RaftMultiplier"] = 10
	}})
	c.AwaitServed(development, c.Repo.Commits()[0])
	leader, term := leadership(t, c)
	ctx, stop := context.WithCancel(t.Context())
	a := &abuser{dialer: net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}, closed: map[string]int{}}
	defer a.work.Wait()
	defer stop()
	for _, n := range c.Nodes {
		for port, address := range map[string]string{"raft": n.Raft, "gossip": n.Gossip, "gRPC": n.GRPC, "HTTP": n.HTTP} {
			a.hold(ctx, port, address, perPort)
		}
	}
	harness.Eventually(t, harness.StartWithin, func() error {
		if opened, _ := a.counts(); opened < 3*4*perPort {
			return fmt.Errorf("only %d connections", opened)
		}
		return nil
	})
	for range 5 {
		c.CLI("environment", "pause", development, "--reason", "a test").Expect(t, 0)
		c.CLI("environment", "resume", development).Expect(t, 0)
	}
	c.AwaitServed(development, c.Repo.AddLayer(development, "meanwhile"))
	for _, n := range c.Nodes {
		n.AwaitReady()
	}
	if after, now := leadership(t, c); after != leader || now != term {
		t.Errorf("%s led in term %d, %s leads in term %d", leader, term, after, now)
	}
	stop()
	a.work.Wait()
	opened, closed := a.counts()
	t.Logf("%d connections were opened; closed by the nodes: %v", opened, closed)
	if closed["raft"] == 0 {
		t.Error("the raft port held all of them")
	}
	c.AwaitEqualStates()
}

func leadership(t *testing.T, c *harness.Cluster) (string, uint64) {
	t.Helper()
	var id string
	var term uint64
	harness.Eventually(t, harness.StartWithin, func() error {
		status, err := c.Leader().Status(t.Context())
		id, term = status.GetLeaderId(), status.GetTerm()
		return err
	})
	return id, term
}

// One host gets 512 connections to the gRPC port, and 1,024 to the HTTP port; one more is closed, and another host gets in.
func TestConnectionsOfOneHost(t *testing.T) {
	t.Parallel()
	n := harness.Start(t, harness.Options{Nodes: 1}).Nodes[0]
	for address, most := range map[string]int{n.GRPC: 512, n.HTTP: 1024} {
		host := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 8)}}
		for i := range most {
			conn, err := host.DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			if i == most-1 && !stays(t, conn) {
				t.Errorf("connection %d to %s is closed", most, address)
			}
		}
		beyond, err := host.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer beyond.Close() //nolint:revive // two of them, until the test ends
		if stays(t, beyond) {
			t.Errorf("connection %d to %s is held", most+1, address)
		}
	}
	n.CLI("cluster", "status").Expect(t, 0)
	n.AwaitReady()
}

// stays reports whether a connection is held: one beyond the bound is closed at once.
func stays(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for {
		_, err := conn.Read(make([]byte, 64)) // gRPC begins with its settings
		if err != nil {
			return isTimeout(err) && !errors.Is(err, syscall.ECONNRESET)
		}
	}
}
