package registry

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Registry holds the catalog that each environment serves.
type Registry struct {
	config   Config
	expander expander
	pool     *pool

	// current is replaced whole on each swap, so that readers need no lock.
	current atomic.Pointer[map[string]*Catalog]

	mu   sync.Mutex // guards swaps and live
	live map[*Catalog]struct{}
}

// New returns an empty registry, or an error that wraps ErrConfig.
func New(config Config) (*Registry, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	r := &Registry{
		config:   config,
		expander: expander{lookupEnv: config.LookupEnv, readFile: config.ReadFile, private: config.Private},
		pool:     newPool(),
		live:     make(map[*Catalog]struct{}),
	}
	r.current.Store(&map[string]*Catalog{})
	return r, nil
}

// Current acquires the catalog an environment serves. Whoever gets one calls release exactly once. It is false when
// nothing is active.
func (r *Registry) Current(environment string) (current *Catalog, release func(), ok bool) {
	for {
		current = (*r.current.Load())[environment]
		if current == nil {
			return nil, nil, false
		}
		// A catalog that drained between the two loads has been replaced: look again.
		if current.Acquire() {
			return current, current.Release, true
		}
	}
}

// Swap makes next what the environment serves and returns the digest it served before, empty if none. The caller's
// hold on next goes over to the registry; the replaced catalog drains. A nil next stops serving the environment.
// Swapping in what is current changes nothing.
func (r *Registry) Swap(environment string, next *Catalog) (previous string) {
	r.mu.Lock()
	old := (*r.current.Load())[environment]
	if old != nil {
		previous = old.digest
	}
	if old == next {
		r.mu.Unlock()
		return previous
	}
	replaced := maps.Clone(*r.current.Load())
	if next == nil {
		delete(replaced, environment)
	} else {
		replaced[environment] = next
	}
	r.current.Store(&replaced)
	r.mu.Unlock()
	if old != nil {
		old.Release()
	}
	return previous
}

// Environments are the environments that serve a catalog, sorted.
func (r *Registry) Environments() []string {
	return slices.Sorted(maps.Keys(*r.current.Load()))
}

// Digest is the digest an environment serves; false when nothing is active.
func (r *Registry) Digest(environment string) (string, bool) {
	current := (*r.current.Load())[environment]
	if current == nil {
		return "", false
	}
	return current.digest, true
}

// Close stops serving everything and waits until every catalog, also those built and not swapped in, has drained,
// or until the context ends.
func (r *Registry) Close(ctx context.Context) error {
	for _, environment := range r.Environments() {
		r.Swap(environment, nil)
	}
	r.mu.Lock()
	live := slices.Collect(maps.Keys(r.live))
	r.mu.Unlock()
	for _, c := range live {
		select {
		case <-c.Drained():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *Registry) adopt(c *Catalog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[c] = struct{}{}
}

// retire closes what a drained catalog held.
func (r *Registry) retire(c *Catalog) {
	for _, b := range c.bindings {
		b.close(r.config.Logger)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, c)
}
