package logging

import (
	"bytes"
	"sync"
)

// Recent keeps the newest lines of a log in memory, for support bundles. It is
// an io.Writer that gets whole lines, beside the log's own output.
type Recent struct {
	most int

	mu   sync.Mutex
	ring []byte
	// next is where the next byte goes, once the ring is full.
	next int
}

// NewRecent keeps at most so many bytes, at least 1.
func NewRecent(most int) *Recent { return &Recent{most: max(most, 1)} }

// Write keeps a line. It never fails.
func (r *Recent) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := line[max(0, len(line)-r.most):]
	if room := r.most - len(r.ring); room > 0 {
		fits := min(room, len(rest))
		r.ring = append(r.ring, rest[:fits]...)
		rest = rest[fits:]
	}
	for len(rest) > 0 {
		n := copy(r.ring[r.next:], rest)
		r.next = (r.next + n) % r.most
		rest = rest[n:]
	}
	return len(line), nil
}

// Bytes returns the lines that are kept whole, the oldest first.
func (r *Recent) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < r.most {
		return bytes.Clone(r.ring)
	}
	kept := append(bytes.Clone(r.ring[r.next:]), r.ring[:r.next]...)
	_, kept, _ = bytes.Cut(kept, []byte("\n")) // the oldest line has lost its beginning
	return kept
}
