package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// dialed returns the two ends of a connection from 10.0.0.1 to 10.0.0.2.
func dialed(t *testing.T, n *Network) (client, server net.Conn) {
	t.Helper()
	l, err := n.Host("10.0.0.2").Listen(":80")
	if err != nil {
		t.Fatal(err)
	}
	client, err = n.Host("10.0.0.1").Dial(t.Context(), "10.0.0.2:80")
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestBytesArrive(t *testing.T) {
	client, server := dialed(t, New())
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(server)
	if err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

// In a bubble, connections are opened by many at once; with the race detector, that may not end the process.
func TestConnectionsOpenedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 250 {
					left, right := pipe()
					if left.Close() == nil && right.Close() == nil {
						opened.Add(1)
					}
				}
			})
		}
		if group.Wait(); opened.Load() != 2000 {
			t.Errorf("%d of 2000 were opened", opened.Load())
		}
	})
}

func TestCutLosesAndHealResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		client, server := dialed(t, n)
		n.Cut("10.0.0.2", "10.0.0.1")
		if _, err := client.Write([]byte("lost")); err != nil {
			t.Errorf("a sender noticed the cut: %v", err)
		}
		if err := server.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		var timeout net.Error
		if _, err := server.Read(make([]byte, 9)); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("across the cut: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := n.Host("10.0.0.1").Dial(ctx, "10.0.0.2:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a dial across the cut: %v", err)
		}
		n.Heal()
		if _, err := client.Read(make([]byte, 9)); err == nil {
			t.Error("a connection that lost bytes survived")
		}
		if _, err := n.Host("10.0.0.1").Dial(t.Context(), "10.0.0.2:80"); err != nil {
			t.Errorf("after the cut: %v", err)
		}
	})
}

func TestDownRefusesAndResets(t *testing.T) {
	n := New()
	client, _ := dialed(t, n)
	n.Down("10.0.0.2")
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("a connection to a dead host lives")
	}
	if _, err := n.Host("10.0.0.1").Dial(t.Context(), "10.0.0.2:80"); !errors.Is(err, ErrRefused) {
		t.Errorf("dialing a dead host: %v", err)
	}
	if _, err := n.Host("10.0.0.2").Listen(":81"); !errors.Is(err, ErrDown) {
		t.Errorf("listening on a dead host: %v", err)
	}
	n.Up("10.0.0.2")
	if _, err := n.Host("10.0.0.2").Listen(":80"); err != nil {
		t.Errorf("the port is still taken: %v", err)
	}
}

func TestGossipPackets(t *testing.T) {
	n := New()
	a, err := n.Host("10.0.0.1").Gossip(":7702")
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.Host("10.0.0.2").Gossip(":7702")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Shutdown()
	defer a.Shutdown()
	n.Cut("10.0.0.1", "10.0.0.2")
	if _, err := a.WriteTo([]byte("lost"), "10.0.0.2:7702"); err != nil {
		t.Fatal(err)
	}
	n.Heal()
	for range 2 * packetBuffer { // more than fits: the rest is dropped, nobody blocks
		if _, err := a.WriteTo([]byte("kept"), "10.0.0.2:7702"); err != nil {
			t.Fatal(err)
		}
	}
	if p := <-b.PacketCh(); string(p.Buf) != "kept" || p.From.String() != "10.0.0.1:7702" {
		t.Errorf("%q from %s", p.Buf, p.From)
	}
	stream, err := a.DialTimeout("10.0.0.2:7702", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	defer (<-b.StreamCh()).Close()
}
