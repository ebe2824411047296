package postgis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// source is one database.
type source struct {
	config  Config
	pool    *pgxpool.Pool
	where   string // as failures name it
	lost    atomic.Bool
	tables  tables
	buffers sync.Pool // of *[]byte, for features
}

func newSource(config Config, pool *pgxpool.Pool, where string) *source {
	return &source{config: config, pool: pool, where: where, tables: newTables(config.RefreshInterval)}
}

// acquire takes a connection, waiting no longer than requests may.
func (s *source) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, s.config.AcquireTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(bounded)
	if err == nil {
		if s.lost.Swap(false) {
			s.config.Logger.InfoContext(ctx, "the database answers again", "place", s.where)
		}
		return conn, nil
	}
	err = unreachable(ctx, s.where, err)
	if ctx.Err() == nil && !s.lost.Swap(true) {
		s.config.Logger.WarnContext(ctx, connectionFailure, "problem", err.Error())
	}
	return nil, err
}

// errAgain says that a statement failed without having answered anything, in a way that another attempt may mend.
var errAgain = errors.New("the statement can be repeated")

// withConnection runs do, and once more where the first attempt met a connection that had broken unseen or a table
// that has changed. do returns errAgain joined with the cause for that.
func (s *source) withConnection(ctx context.Context, layer *catalog.Layer, do func(*pgxpool.Conn, *table) error) error {
	for attempt := 0; ; attempt++ {
		err := s.once(ctx, layer, do)
		if !errors.Is(err, errAgain) {
			return err
		}
		if attempt > 0 || ctx.Err() != nil {
			return failed(ctx, s.where, err)
		}
		s.tables.forget(layer.Table)
		if isBroken(err) {
			s.pool.Reset() // the others broke too
		}
	}
}

func (s *source) once(ctx context.Context, layer *catalog.Layer, do func(*pgxpool.Conn, *table) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	t, err := s.tables.get(ctx, conn, layer.Table)
	if err != nil {
		return s.classify(ctx, err)
	}
	if t == nil {
		return changed(layer, "it does not exist")
	}
	return do(conn, t)
}

// classify says of a statement that has not answered anything whether to repeat it.
func (s *source) classify(ctx context.Context, err error) error {
	if isBroken(err) || hasCode(err, codeStalePlan, codeUndefinedTable, codeUndefinedColumn, codeInternal) {
		return errors.Join(errAgain, err)
	}
	return failed(ctx, s.where, err)
}

// Query passes a page of features to emit, in the order of their ids.
func (s *source) Query(ctx context.Context, layer *catalog.Layer, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	var page registry.Page
	prefilter := true
	err := s.withConnection(ctx, layer, func(conn *pgxpool.Conn, t *table) error {
		p, err := t.planFor(layer)
		if err != nil {
			return err
		}
		c, err := s.conditions(ctx, conn, p, q, prefilter)
		if err != nil {
			return err
		}
		if c.none {
			page = registry.Page{}
			return nil
		}
		page, err = s.page(ctx, conn, p, q, c, emit)
		// A box that the projection cannot take is looked for row by row the second time.
		prefilter = !hasCode(err, codeInternal)
		return err
	})
	return page, err
}

func (s *source) conditions(ctx context.Context, conn *pgxpool.Conn, p *plan, q registry.Query, prefilter bool) (*conditions, error) {
	c := &conditions{}
	if q.BBox != nil {
		known, err := s.tables.factsOf(ctx, conn, p)
		if err != nil {
			return nil, s.classify(ctx, err)
		}
		if err := c.inside(p, q, known, prefilter); err != nil {
			return nil, err
		}
	}
	if q.Time != nil {
		c.during(p, *q.Time)
	}
	for _, f := range q.Filters {
		c.filter(p, f)
	}
	return c, nil
}

// page runs a statement and emits its rows one by one.
func (s *source) page(ctx context.Context, conn *pgxpool.Conn, p *plan, q registry.Query, c *conditions, emit func([]byte) error) (registry.Page, error) {
	page := registry.Page{Matched: -1}
	more, counted, err := s.rows(ctx, conn, p, p.selectPage(q, c), q.CRS, func(feature []byte) (bool, error) {
		if page.Returned == q.Limit {
			return false, nil
		}
		if err := emit(feature); err != nil {
			return false, err
		}
		page.Returned++
		return true, nil
	})
	switch {
	case err != nil:
	case !more && (page.Returned > 0 || q.Offset == 0):
		page.Matched = q.Offset + page.Returned
	case counted >= 0:
		page.Matched = counted
	case p.table.small: // a page past the end has no row that would say it
		page.Matched, err = s.count(ctx, conn, p.selectCount(c))
	}
	return page, err
}

// Get returns one feature by its id.
func (s *source) Get(ctx context.Context, layer *catalog.Layer, id string, crs registry.CRS) ([]byte, error) {
	var found []byte
	err := s.withConnection(ctx, layer, func(conn *pgxpool.Conn, t *table) error {
		p, err := t.planFor(layer)
		if err != nil {
			return err
		}
		c := &conditions{}
		if c.id(p, id); c.none {
			return nil
		}
		statement := p.selectRows(crs)
		c.where(statement)
		statement.add(" LIMIT 1")
		_, _, err = s.rows(ctx, conn, p, statement, crs, func(feature []byte) (bool, error) {
			found = append([]byte(nil), feature...)
			return true, nil
		})
		return err
	})
	if err == nil && found == nil {
		err = registry.ErrFeatureNotFound
	}
	return found, err
}

// Version is unknown: tables change without telling.
func (s *source) Version(context.Context) (string, error) { return "", nil }

// Close ends the connections.
func (s *source) Close() error {
	s.pool.Close()
	return nil
}
