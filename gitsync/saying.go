package gitsync

import (
	"strings"
	"sync"
)

const sayingBytes = 2048

// saying keeps the first bytes that a peer or child says about itself. It is safe for
// concurrent use.
type saying struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer; it never fails and drops what is over the bound.
func (t *saying) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	room := min(len(p), sayingBytes-len(t.text))
	t.text = append(t.text, p[:room]...)
	return len(p), nil
}

// String returns what was kept, without surrounding space.
func (t *saying) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
