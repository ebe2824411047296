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
	nulls   map[string]nullness
}

// nullness is whether a geometry column holds nulls, and until when that is believed.
type nullness struct {
	present bool
	until   time.Time
}

// nullShare bounds what looking for nulls costs: the answer is believed so many times as long as it took.
const nullShare = 200

func newTables(refresh time.Duration) tables {
	return tables{refresh: refresh, byName: make(map[string]*table), nulls: make(map[string]nullness)}
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

// hasNulls reports whether a layer's geometry column holds nulls.
func (ts *tables) hasNulls(ctx context.Context, q rowQuerier, p *plan) (bool, error) {
	if p.geometry.notNull {
		return false, nil
	}
	key := quote(p.table.schema, p.table.name, p.geometry.name)
	ts.mu.Lock()
	known, found := ts.nulls[key]
	now := time.Now()
	if found && now.Before(known.until) {
		ts.mu.Unlock()
		return known.present, nil
	}
	if found { // one looks, the others go on with what was
		known.until = now.Add(ts.refresh)
		ts.nulls[key] = known
	}
	ts.mu.Unlock()
	statement := "SELECT EXISTS (SELECT FROM " + quote(p.table.schema, p.table.name) + " WHERE " + p.quoted(p.geometry) + " IS NULL)"
	var present bool
	if err := q.QueryRow(ctx, statement).Scan(&present); err != nil {
		return false, err
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.nulls[key] = nullness{present, time.Now().Add(max(ts.refresh, nullShare*time.Since(now)))}
	return present, nil
}
