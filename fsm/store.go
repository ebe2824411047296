package fsm

import (
	"context"
	"sync"
	"sync/atomic"
)

// Store holds the newest State of a node. One goroutine applies; any number
// reads and watches without a lock.
type Store struct {
	state atomic.Pointer[State]

	mu      sync.Mutex
	changed chan struct{}
}

// NewStore begins with a state, such as New().
func NewStore(s *State) *Store {
	store := &Store{changed: make(chan struct{})}
	store.state.Store(s)
	return store
}

// State returns the newest state.
func (s *Store) State() *State { return s.state.Load() }

// Apply executes an entry and publishes the state after it. An error is a
// *FatalError: the state is as before, and nothing may be applied after it.
func (s *Store) Apply(e Entry) (Result, error) {
	next, result, err := Apply(s.state.Load(), e)
	if err != nil {
		return Result{}, err
	}
	s.publish(next)
	return result, nil
}

// Replace publishes a state that was made elsewhere: read from a snapshot, or
// the last of several entries.
func (s *Store) Replace(state *State) { s.publish(state) }

func (s *Store) publish(state *State) {
	s.state.Store(state)
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
}

// Changed returns a channel that is closed at the next change. Take it before
// reading the state: a change in between then closes it.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Wait returns the first state whose index is at least the given one.
func (s *Store) Wait(ctx context.Context, index uint64) (*State, error) {
	return s.Until(ctx, func(state *State) bool { return state.Index() >= index })
}

// Until returns the first state that a condition holds for. States in between
// two looks are not shown to it.
func (s *Store) Until(ctx context.Context, holds func(*State) bool) (*State, error) {
	for {
		changed := s.Changed()
		if state := s.State(); holds(state) {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return s.State(), context.Cause(ctx)
		case <-changed:
		}
	}
}
