package registry

import (
	"context"
	"crypto/sha256"
	"sync"
)

// pool shares open sources between whoever names the same one, and closes a source when the last of them
// has let it go.
type pool struct {
	mu   sync.Mutex
	open map[poolKey]*pooled
}

// poolKey tells sources apart without keeping what may be a secret.
type poolKey struct {
	driver     string
	connection [sha256.Size]byte
}

// pooled is one source and how many hold it. The token is taken by who opens it, so that others can wait for that
// with their own context.
type pooled struct {
	key     poolKey
	holders int // guarded by pool.mu
	token   chan struct{}
	source  Source // nil until opened; guarded by token until then
}

func newPool() *pool { return &pool{open: make(map[poolKey]*pooled)} }

// acquire returns the source, opened by open if nobody holds it yet. Each success is paired with one release.
func (p *pool) acquire(ctx context.Context, driver, connection string, open func() (Source, error)) (*pooled, error) {
	entry := p.hold(poolKey{driver: driver, connection: sha256.Sum256([]byte(connection))})
	err := entry.ensure(ctx, open)
	if err != nil {
		// Nothing was opened for this holder; another one may still be opening.
		_ = p.release(entry)
		return nil, err
	}
	return entry, nil
}

func (p *pool) hold(key poolKey) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	entry := p.open[key]
	if entry == nil {
		entry = &pooled{key: key, token: make(chan struct{}, 1)}
		p.open[key] = entry
	}
	entry.holders++
	return entry
}

func (e *pooled) ensure(ctx context.Context, open func() (Source, error)) error {
	select {
	case e.token <- struct{}{}:
		defer func() { <-e.token }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if e.source != nil {
		return nil
	}
	source, err := open()
	if err != nil {
		return err
	}
	e.source = source
	return nil
}

// release gives a hold back and closes the source if it was the last.
func (p *pool) release(entry *pooled) error {
	p.mu.Lock()
	entry.holders--
	last := entry.holders == 0
	if last {
		delete(p.open, entry.key)
	}
	p.mu.Unlock()
	if !last || entry.source == nil {
		return nil
	}
	return entry.source.Close()
}
