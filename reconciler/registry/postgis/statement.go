package postgis

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// statement is SQL that grows, and the values bound to it. Text gets into it in three ways only: as a constant of
// this package, as a name that the database's catalog knows, quoted, and as a number that is formatted here.
type statement struct {
	sql  strings.Builder
	args []any
}

func (s *statement) add(parts ...string) {
	for _, part := range parts {
		s.sql.WriteString(part)
	}
}

// bind adds a value and its place in the statement.
func (s *statement) bind(value any) {
	s.args = append(s.args, value)
	s.add("$", strconv.Itoa(len(s.args)))
}

// quote writes a name of the database's catalog as an identifier.
func quote(names ...string) string { return pgx.Identifier(names).Sanitize() }

func (p *plan) quoted(c *column) string { return quote(c.name) }

// function is one of PostGIS's, wherever it is installed.
func (p *plan) function(name string) string { return quote(p.table.postgis) + "." + name }

// selectRows begins a statement that reads a layer's columns in the order that append expects.
func (p *plan) selectRows(crs registry.CRS) *statement {
	s := &statement{}
	s.sql.Grow(512)
	s.add("SELECT ", p.idForm.before, p.quoted(p.id), p.idForm.after, ", ")
	if crs.EPSG() == p.srid {
		s.add(p.quoted(p.geometry))
	} else {
		s.add(p.function("ST_Transform"), "(", p.quoted(p.geometry), ", ", strconv.Itoa(crs.EPSG()), ")")
	}
	for i := range p.properties {
		f := p.properties[i].form
		s.add(", ", f.before, p.quoted(p.properties[i].column), f.after)
	}
	s.add(" FROM ", quote(p.table.schema, p.table.name))
	return s
}

// selectPage reads one row more than the page has, to know whether another one follows.
func (p *plan) selectPage(q registry.Query, c *conditions) *statement {
	s := p.selectRows(q.CRS)
	c.where(s)
	s.add(" ORDER BY ", p.quoted(p.id), " LIMIT ")
	s.bind(int64(q.Limit) + 1)
	if q.Offset > 0 {
		s.add(" OFFSET ")
		s.bind(int64(q.Offset))
	}
	return s
}

// selectCount counts what meets the conditions.
func (p *plan) selectCount(c *conditions) *statement {
	s := &statement{}
	s.add("SELECT count(*) FROM ", quote(p.table.schema, p.table.name))
	c.where(s)
	return s
}

// formats asks for every column in binary.
func (p *plan) formats() pgx.QueryResultFormats {
	formats := make(pgx.QueryResultFormats, len(p.properties)+2)
	for i := range formats {
		formats[i] = pgx.BinaryFormatCode
	}
	return formats
}
