package memnet

import (
	"errors"
	"math/rand/v2"
	"time"
)

// ErrReset: the network has broken a connection.
var ErrReset = errors.New("memnet: connection reset")

// Weather is how a network without cuts behaves. The zero Weather is fine.
type Weather struct {
	// Random draws; nil is fine weather.
	Random *rand.Rand
	// Lag is the longest time that a write to a connection takes.
	Lag time.Duration
	// Reset is how often such a write finds the connection broken, Loss and
	// Repeat how often a packet is lost, or comes twice: from 0 to 1.
	Reset, Loss, Repeat float64
}

// SetWeather changes the weather for everything that is sent from now on.
func (n *Network) SetWeather(w Weather) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.weather = w
}

// stream is what happens to a write; the network's lock is held.
func (w *Weather) stream() (lag time.Duration, reset bool) {
	if w.Random == nil {
		return 0, false
	}
	if w.Lag > 0 {
		lag = time.Duration(w.Random.Int64N(int64(w.Lag)))
	}
	return lag, w.Random.Float64() < w.Reset
}

// packet is how often a packet arrives; the network's lock is held.
func (w *Weather) packet() int {
	switch {
	case w.Random == nil:
		return 1
	case w.Random.Float64() < w.Loss:
		return 0
	case w.Random.Float64() < w.Repeat:
		return 2
	default:
		return 1
	}
}
