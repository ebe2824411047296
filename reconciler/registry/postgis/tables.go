package postgis

import (
	"context"
	"sync"
	"time"
)

// tables remembers what was found of tables, so that a request need not ask.
type tables struct {
	refresh time.Duration
	mu      sync.Mutex
	byName  map[string]*table
	facts   map[string]facts // by table and geometry column
}

func newTables(refresh time.Duration) tables {
	return tables{refresh: refresh, byName: make(map[string]*table), facts: make(map[string]facts)}
}

// get returns what is known of a table and looks it up where that is nothing or old; nil where there is no such table.
func (ts *tables) get(ctx context.Context, q rowQuerier, name string) (*table, error) {
	ts.mu.Lock()
	known := ts.byName[name]
	ts.mu.Unlock()
	if known != nil && time.Since(known.loaded) < ts.refresh {
		return known, nil
	}
	return ts.load(ctx, q, name)
}

// load looks a table up now.
func (ts *tables) load(ctx context.Context, q rowQuerier, name string) (*table, error) {
	t, err := describe(ctx, q, name)
	if err != nil {
		return nil, err
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t == nil {
		delete(ts.byName, name)
		return nil, nil
	}
	ts.byName[name] = t
	return t, nil
}

func (ts *tables) forget(name string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.byName, name)
}
