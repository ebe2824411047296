package relay

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// device is one end of a pair of pipes.
type device struct {
	out chan []byte
	in  chan []byte
	end chan struct{}
}

func newDevice() *device {
	return &device{out: make(chan []byte), in: make(chan []byte, 100), end: make(chan struct{})}
}

func (d *device) Read(p []byte) (int, error) {
	select {
	case content := <-d.out:
		return copy(p, content), nil
	case <-d.end:
		return 0, io.EOF
	}
}

func (d *device) Write(p []byte) (int, error) { d.in <- p; return len(p), nil }

func (d *device) Close() error { close(d.end); return nil }

func toward(to [4]byte, mark byte) []byte {
	p := make([]byte, headerSize+1)
	p[0], p[headerSize] = 0x45, mark
	copy(p[destination:], to[:])
	return p
}

func TestRelayHoldsBackInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}
		left, right := newDevice(), newDevice()
		r := New(map[[4]byte]io.ReadWriteCloser{a: left, b: right}, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); r.Run(ctx) }()

		begun := time.Now()
		left.out <- toward(b, 1)
		if got := <-right.in; got[headerSize] != 1 || time.Since(begun) != 0 {
			t.Errorf("%v after %s", got, time.Since(begun))
		}
		r.Hold(b, Latency{Base: 100 * time.Millisecond})
		left.out <- toward(b, 2)
		synctest.Wait()
		r.Hold(b, Latency{})
		left.out <- toward(b, 3)                   // does not overtake
		left.out <- toward([4]byte{8, 8, 8, 8}, 4) // goes nowhere
		left.out <- []byte{0x60}                   // neither does what is no IPv4 packet
		for _, want := range []byte{2, 3} {
			if got := <-right.in; got[headerSize] != want || time.Since(begun) != 100*time.Millisecond {
				t.Errorf("%v after %s, not %d", got, time.Since(begun), want)
			}
		}
		r.Hold(a, Latency{Base: time.Millisecond, Jitter: time.Millisecond})
		begun = time.Now()
		right.out <- toward(a, 5)
		if got, took := <-left.in, time.Since(begun); got[headerSize] != 5 || took < time.Millisecond || took >= 2*time.Millisecond {
			t.Errorf("%v after %s", got, took)
		}
		cancel()
		<-ended
		if len(left.in) != 0 || len(right.in) != 0 {
			t.Error("something else arrived")
		}
	})
}
