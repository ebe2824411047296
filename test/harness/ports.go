package harness

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports are taken in blocks below the range of outgoing connections. The last port of a block is kept open for as long
// as the test runs: it is what keeps other tests, and other processes' tests, out of the block.
const (
	firstBlock    = 10000
	blocks        = 200
	portsPerBlock = 100
	guardOffset   = portsPerBlock - 1
	httpOffset    = 90
	portsPerNode  = 10
	maxNodes      = 9
)

// Ports is a block of ports that belongs to one cluster.
type Ports struct{ base int }

// Base is the gRPC port of the first node; raft and gossip are the next two, further nodes follow in tens.
func (p Ports) Base() int { return p.base }

// HTTP is the HTTP port of the first node; the others follow.
func (p Ports) HTTP() int { return p.base + httpOffset }

// TakePorts finds a block that nobody uses and keeps it until the test ends.
func TakePorts(t testing.TB) Ports {
	t.Helper()
	for _, i := range rand.Perm(blocks) {
		base := firstBlock + i*portsPerBlock
		guard, err := net.Listen("tcp", loopback(base+guardOffset))
		if err != nil {
			continue
		}
		if !free(base) {
			_ = guard.Close()
			continue
		}
		t.Cleanup(func() { _ = guard.Close() })
		return Ports{base: base}
	}
	t.Fatal("no free ports")
	return Ports{}
}

func free(base int) bool {
	for offset := range guardOffset {
		tcp, err := net.Listen("tcp", loopback(base+offset))
		if err != nil {
			return false
		}
		_ = tcp.Close()
		udp, err := net.ListenPacket("udp", loopback(base+offset))
		if err != nil {
			return false
		}
		_ = udp.Close()
	}
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
