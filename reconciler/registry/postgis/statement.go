package postgis

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// statement is SQL that grows, and the values bound to it. Text gets into it in three ways only: as a constant of
// this package, as a name that the database's catalog knows, quoted, and as a number that is formatted here.
type statement struct {
	sql []byte
	// values are what is bound, in the form that formats says; they stand in scratch.
	values  [][]byte
	formats []int16
	scratch []byte
	// results are the forms in which the columns come back.
	results []int16
	// fresh asks for a plan for these values; else one for any values is kept and used again.
	fresh bool
}

// The forms in which values go over the wire.
const (
	textFormat   = int16(pgx.TextFormatCode)
	binaryFormat = int16(pgx.BinaryFormatCode)
)

func newStatement() *statement {
	return &statement{
		sql: make([]byte, 0, 1024), values: make([][]byte, 0, 16), formats: make([]int16, 0, 16), scratch: make([]byte, 0, 384),
	}
}

func (s *statement) add(parts ...string) {
	for _, part := range parts {
		s.sql = append(s.sql, part...)
	}
}

// place adds the place of the value that was bound as the n-th, counted from 1.
func (s *statement) place(n int) { s.sql = strconv.AppendInt(append(s.sql, '$'), int64(n), 10) }

// bound adds the last part of scratch as a value, and its place with the cast that says its type.
func (s *statement) bound(from int, format int16, cast string) {
	s.values = append(s.values, s.scratch[from:len(s.scratch):len(s.scratch)])
	s.formats = append(s.formats, format)
	s.place(len(s.values))
	s.add(cast)
}

// bind adds a value and its place. The cast is the SQL type that goes with the value's Go type: of a time, ::date,
// ::timestamp or ::timestamptz.
func (s *statement) bind(value any, cast string) {
	from := len(s.scratch)
	format := binaryFormat
	switch v := value.(type) {
	case string:
		format, s.scratch = textFormat, append(s.scratch, v...)
	case int64:
		s.scratch = binary.BigEndian.AppendUint64(s.scratch, uint64(v))
	case float64:
		s.scratch = binary.BigEndian.AppendUint64(s.scratch, math.Float64bits(v))
	case bool:
		b := byte(0)
		if v {
			b = 1
		}
		s.scratch = append(s.scratch, b)
	case time.Time:
		micros := v.UnixMicro() - epoch().UnixMicro()
		if cast == "::date" {
			const day = 24 * 60 * 60 * 1_000_000
			s.scratch = binary.BigEndian.AppendUint32(s.scratch, uint32(int32(math.Floor(float64(micros)/day))))
		} else {
			s.scratch = binary.BigEndian.AppendUint64(s.scratch, uint64(micros))
		}
	}
	s.bound(from, format, cast)
}

// bindBox adds a box as a geometry in the database's own form, so that it is not made anew for each row. A box without
// a width or a height is a line, one with neither a point: a polygon of no area would meet nothing.
func (s *statement) bindBox(p *plan, b registry.BBox, srid int) {
	const pointWithSRID, lineWithSRID, polygonWithSRID = 0x20000001, 0x20000002, 0x20000003
	numbers, corners := []uint32{polygonWithSRID, uint32(srid), 1, 5},
		[]float64{b.MinX, b.MinY, b.MinX, b.MaxY, b.MaxX, b.MaxY, b.MaxX, b.MinY, b.MinX, b.MinY}
	switch {
	case b.MinX == b.MaxX && b.MinY == b.MaxY:
		numbers, corners = []uint32{pointWithSRID, uint32(srid)}, []float64{b.MinX, b.MinY}
	case b.MinX == b.MaxX || b.MinY == b.MaxY:
		numbers, corners = []uint32{lineWithSRID, uint32(srid), 2}, []float64{b.MinX, b.MinY, b.MaxX, b.MaxY}
	}
	from := len(s.scratch)
	out := append(s.scratch, 0) // big endian
	for _, n := range numbers {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	for _, v := range corners {
		out = binary.BigEndian.AppendUint64(out, math.Float64bits(v))
	}
	s.scratch = out
	s.bound(from, binaryFormat, p.table.geometryCast)
}

// quote writes a name of the database's catalog as an identifier.
func quote(names ...string) string { return pgx.Identifier(names).Sanitize() }

func (p *plan) quoted(c *column) string { return c.quoted }

// function adds the name of one of PostGIS's, wherever it is installed.
func (p *plan) function(name string) string { return p.table.functions + name }

// selectRows begins a statement that reads a layer's columns in the order that append expects.
func (p *plan) selectRows(crs registry.CRS) *statement {
	s := newStatement()
	p.addColumns(s, crs)
	p.addFrom(s)
	s.results = p.formats[:p.width()]
	return s
}

func (p *plan) addColumns(s *statement, crs registry.CRS) {
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
}

func (p *plan) addFrom(s *statement) { s.add(" FROM ", p.table.quoted) }

// selectPage reads one row more than the page has, to know whether another one follows. In a table that is counted in
// no time each row ends with how many match: one round trip costs more than that.
func (p *plan) selectPage(q registry.Query, c *conditions) *statement {
	s := newStatement()
	p.addColumns(s, q.CRS)
	s.results = p.formats[:p.width()]
	if p.table.small {
		s.results = p.formats
		s.add(", (SELECT count(*)")
		p.addFrom(s)
		c.where(s)
		s.add(")")
	}
	p.addFrom(s)
	c.where(s)
	s.add(" ORDER BY ", p.quoted(p.id), " LIMIT ")
	s.bind(int64(q.Limit)+1, "::int8")
	if q.Offset > 0 {
		s.add(" OFFSET ")
		s.bind(int64(q.Offset), "::int8")
	}
	s.fresh = c.fresh
	return s
}

// selectCount counts what meets the conditions.
func (p *plan) selectCount(c *conditions) *statement {
	s := newStatement()
	s.add("SELECT count(*)")
	s.results = p.formats[:1]
	p.addFrom(s)
	c.where(s)
	s.fresh = c.fresh
	return s
}
