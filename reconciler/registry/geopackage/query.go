package geopackage

import (
	"context"
	"database/sql"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/wkb"
)

// countAhead is how many rows after a page are looked at to know how many match in all.
const countAhead = 10_000

// selectRows reads id, geometry and properties. Each is an expression, so that the SQL driver hands out what is
// stored and does not make times of texts.
func (p *plan) selectRows() string {
	columns := []string{"+" + quote(p.id.name), "+" + quote(p.table.geometry)}
	for i := range p.properties {
		columns = append(columns, "+"+quote(p.properties[i].column.name))
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + quote(p.table.name)
}

// Query passes a page of features to emit, in the order of their ids.
func (s *source) Query(ctx context.Context, layer *catalog.Layer, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	var page registry.Page
	err := s.withPlan(ctx, layer, func(f *file, p *plan) (err error) {
		c, err := p.conditions(q)
		if err != nil || c.none {
			return err
		}
		o, err := p.options(q.CRS)
		if err != nil {
			return err
		}
		r := reader{source: s, plan: p, query: q, conditions: c, options: o, emit: emit}
		if len(c.rows) > 0 {
			page, err = r.selected(ctx, f.db)
			return err
		}
		page, err = r.paged(ctx, f.db)
		return err
	})
	return page, err
}

// reader answers one query.
type reader struct {
	source     *source
	plan       *plan
	query      registry.Query
	conditions *conditions
	options    wkb.Options
	emit       func([]byte) error
	buffer     []byte
}

// paged lets SQLite pass over what is before the page.
func (r *reader) paged(ctx context.Context, db *sql.DB) (registry.Page, error) {
	page := registry.Page{Matched: r.plan.table.rows}
	c := r.conditions
	if len(c.sql) > 0 {
		count := "SELECT count(*) FROM " + quote(r.plan.table.name) + c.where()
		if err := db.QueryRowContext(ctx, count, c.args...).Scan(&page.Matched); err != nil {
			return page, r.source.failed(ctx, err)
		}
	}
	statement := r.plan.selectRows() + c.where() + " ORDER BY " + quote(r.plan.id.name) + " LIMIT ? OFFSET ?"
	err := r.each(ctx, db, statement, append(c.args, r.query.Limit, r.query.Offset), func(row []any) (bool, error) {
		page.Returned++
		return true, r.write(row)
	})
	return page, err
}

// selected looks at every candidate, and for a while after the page, to know how many match.
func (r *reader) selected(ctx context.Context, db *sql.DB) (registry.Page, error) {
	var page registry.Page
	statement := r.plan.selectRows() + r.conditions.where() + " ORDER BY " + quote(r.plan.id.name)
	ahead := 0
	unknown := false
	err := r.each(ctx, db, statement, r.conditions.args, func(row []any) (bool, error) {
		matches, err := r.matches(row)
		if page.Returned == r.query.Limit {
			ahead++
		}
		switch {
		case err != nil:
			return false, fileError(r.source.path, err)
		case !matches:
		case page.Matched < r.query.Offset || page.Returned == r.query.Limit:
			page.Matched++
		default:
			page.Matched++
			page.Returned++
			return true, r.write(row)
		}
		// One more is enough to know that a page follows; without any, the rows go on being looked at.
		unknown = ahead > countAhead && page.Matched > r.query.Offset+page.Returned
		return !unknown, nil
	})
	if unknown {
		page.Matched = -1
	}
	return page, err
}

func (r *reader) matches(row []any) (bool, error) {
	for _, condition := range r.conditions.rows {
		if matches, err := condition(row); !matches || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (r *reader) write(row []any) (err error) {
	if r.buffer, err = r.plan.append(r.buffer[:0], row, r.options); err != nil {
		return fileError(r.source.path, err)
	}
	return r.emit(r.buffer)
}

// each hands out row by row until take wants no more. What a row holds is valid during the call.
func (r *reader) each(ctx context.Context, db *sql.DB, statement string, args []any, take func([]any) (bool, error)) error {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return r.source.failed(ctx, err)
	}
	defer func() { _ = rows.Close() }() // Err says what went wrong
	row := make([]any, len(r.plan.properties)+2)
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return r.source.failed(ctx, err)
		}
		if goOn, err := take(row); !goOn || err != nil {
			return err
		}
	}
	return r.source.failed(ctx, rows.Err())
}

// Get returns one feature by its id.
func (s *source) Get(ctx context.Context, layer *catalog.Layer, id string, crs registry.CRS) ([]byte, error) {
	var found []byte
	err := s.withPlan(ctx, layer, func(f *file, p *plan) error {
		c := &conditions{}
		if c.id(p, id); c.none {
			return registry.ErrFeatureNotFound
		}
		o, err := p.options(crs)
		if err != nil {
			return err
		}
		r := reader{source: s, plan: p, conditions: c, options: o, emit: func(feature []byte) error {
			found = append([]byte(nil), feature...)
			return nil
		}}
		err = r.each(ctx, f.db, p.selectRows()+c.where()+" LIMIT 1", c.args, func(row []any) (bool, error) {
			return false, r.write(row)
		})
		if err == nil && found == nil {
			err = registry.ErrFeatureNotFound
		}
		return err
	})
	return found, err
}
