// Package relay carries IPv4 packets between network devices and holds them back on request: a network whose latency
// can be chosen for each host while it is in use.
package relay

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// packetSize is the largest packet.
	packetSize = 64 << 10
	// queued is how many packets wait on the way from one host to another before more are dropped.
	queued = 4096
	// destination is where an IPv4 packet's destination address is, headerSize how long its header is at least.
	destination, headerSize = 16, 20
)

// Latency is how long packets of a host are held back, each way: Base, and up to Jitter more.
type Latency struct{ Base, Jitter time.Duration }

// Relay carries packets between hosts, which are known by their addresses.
type Relay struct {
	devices map[[4]byte]io.ReadWriteCloser
	pairs   map[[2][4]byte]chan packet

	mu      sync.Mutex
	latency map[[4]byte]Latency
	random  *rand.Rand
}

type packet struct {
	content []byte
	release time.Time
}

// New makes a relay between devices, each of which is the way to one address. Run closes them.
func New(devices map[[4]byte]io.ReadWriteCloser, seed uint64) *Relay {
	r := &Relay{
		devices: devices, pairs: map[[2][4]byte]chan packet{}, latency: map[[4]byte]Latency{}, random: rand.New(rand.NewPCG(seed, 1)),
	}
	for from := range devices {
		for to := range devices {
			r.pairs[[2][4]byte{from, to}] = make(chan packet, queued)
		}
	}
	return r
}

// Hold sets the latency of a host from now on.
func (r *Relay) Hold(host [4]byte, latency Latency) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latency[host] = latency
}

// Run carries packets until the context ends.
func (r *Relay) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for from, device := range r.devices {
		all.Go(func() { r.read(from, device) })
	}
	for pair, queue := range r.pairs {
		all.Go(func() { carry(ctx, r.devices[pair[1]], queue) })
	}
	<-ctx.Done()
	cancel()
	for _, device := range r.devices {
		_ = device.Close()
	}
	all.Wait()
}

// read takes packets from a device until it is closed.
func (r *Relay) read(from [4]byte, device io.Reader) {
	buffer := make([]byte, packetSize)
	for {
		n, err := device.Read(buffer)
		if err != nil {
			if errors.Is(err, io.ErrShortBuffer) {
				continue
			}
			return
		}
		if n < headerSize || buffer[0]>>4 != 4 {
			continue
		}
		to := [4]byte(buffer[destination : destination+4])
		queue, known := r.pairs[[2][4]byte{from, to}]
		if !known {
			continue
		}
		select {
		case queue <- packet{append([]byte(nil), buffer[:n]...), time.Now().Add(r.draw(from) + r.draw(to))}:
		default: // a full queue drops, as those of routers do
		}
	}
}

func (r *Relay) draw(host [4]byte) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	latency := r.latency[host]
	if latency.Jitter > 0 {
		return latency.Base + time.Duration(r.random.Int64N(int64(latency.Jitter)))
	}
	return latency.Base
}

// carry writes packets when their time has come, in the order in which they were sent.
func carry(ctx context.Context, device io.Writer, queue <-chan packet) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-queue:
			if wait := time.Until(p.release); wait > 0 && !pause(ctx, wait) {
				return
			}
			_, _ = device.Write(p.content) // what a host does not take is lost
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
