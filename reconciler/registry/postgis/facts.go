package postgis

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// facts are what is worth knowing of a geometry column before it is asked for a box, and until when it is believed.
type facts struct {
	nulls bool
	// rows and extent are the database's estimates; rows is 0 where it has none.
	rows   float64
	extent registry.BBox
	until  time.Time
}

// factShare bounds what looking costs: the answer is believed so many times as long as it took.
const factShare = 200

// factsOf returns what is known of a layer's geometry column and looks where that is nothing or old.
func (ts *tables) factsOf(ctx context.Context, q rowQuerier, p *plan) (facts, error) {
	ts.mu.Lock()
	known, found := ts.facts[p.factKey]
	now := time.Now()
	if found && now.Before(known.until) {
		ts.mu.Unlock()
		return known, nil
	}
	if found { // one looks, the others go on with what was
		known.until = now.Add(ts.refresh)
		ts.facts[p.factKey] = known
	}
	ts.mu.Unlock()
	known, err := p.look(ctx, q)
	if err != nil {
		return known, err
	}
	known.until = time.Now().Add(max(ts.refresh, factShare*time.Since(now)))
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.facts[p.factKey] = known
	return known, nil
}

func (p *plan) look(ctx context.Context, q rowQuerier) (facts, error) {
	var f facts
	if !p.geometry.notNull {
		statement := "SELECT EXISTS (SELECT FROM " + p.table.quoted + " WHERE " + p.quoted(p.geometry) + " IS NULL)"
		if err := q.QueryRow(ctx, statement).Scan(&f.nulls); err != nil {
			return f, err
		}
	}
	if p.table.rows <= 0 {
		return f, nil
	}
	corner := func(name string) string { return "coalesce(" + p.function(name) + "(e), 0)" }
	statement := "SELECT e IS NOT NULL, " + corner("ST_XMin") + ", " + corner("ST_YMin") + ", " + corner("ST_XMax") + ", " + corner("ST_YMax") +
		" FROM (SELECT " + p.function("ST_EstimatedExtent") + "($1, $2, $3)) s(e)"
	var known bool
	b := &f.extent
	err := q.QueryRow(ctx, statement, p.table.schema, p.table.name, p.geometry.name).Scan(&known, &b.MinX, &b.MinY, &b.MaxX, &b.MaxY)
	var refusal *pgconn.PgError
	switch {
	case errors.As(err, &refusal) && !isConnectionClass(refusal.Code):
		return f, nil // no estimate, then
	case err != nil:
		return f, err
	case known:
		f.rows = p.table.rows
	}
	return f, nil
}

// What a row costs that is found by the index and sorted, and one that is walked over in the order of ids, in
// microseconds; and how many rows of the first kind cost as much as a plan.
const (
	foundCost  = 1.0
	walkedCost = 0.4
	planCost   = 300
)

// indexed reports whether it is certain enough that a box is best looked for with the index. Then one plan, that of the
// index, does for all such boxes. Else the planner decides, who knows more and takes as long as some hundred rows.
func (f facts) indexed(parts []registry.BBox, wanted int) bool {
	if f.rows <= 0 {
		return false
	}
	found := 0.0
	for _, part := range parts {
		found += f.rows * overlap(part.MinX, part.MaxX, f.extent.MinX, f.extent.MaxX) * overlap(part.MinY, part.MaxY, f.extent.MinY, f.extent.MaxY)
	}
	if found <= planCost {
		return true
	}
	return found*foundCost <= float64(wanted)*f.rows/found*walkedCost
}

// overlap is the share of a range that lies in another one.
func overlap(low, high, from, to float64) float64 {
	if to <= from {
		return 1
	}
	return max(0, min(high, to)-max(low, from)) / (to - from)
}
