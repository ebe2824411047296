package postgis

import (
	"fmt"
	"math"
	"strconv"

	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/projection"
)

// Bounds of boxes, in degrees, whose image in another reference system is taken from their outline: small enough for
// every projection to be well-behaved inside.
const (
	smallBox   = 10
	polarLimit = 84
	// boxMargin is what the image is enlarged by, as a share of the box: its sides may bend between the points that
	// are converted.
	boxMargin = 0.02
	// outline is how many pieces a side is cut into.
	outline = 16
)

// inside adds that a geometry meets a box. Rows without a geometry meet every box (/req/core/fc-bbox-response C);
// whether there are any is known beforehand, because asking for them costs a walk through the whole index.
func (c *conditions) inside(p *plan, q registry.Query, known facts, prefilter bool) error {
	one, err := p.boxCondition(*q.BBox, prefilter)
	if err != nil {
		return err
	}
	c.fresh = one.direct && !known.indexed(one.parts, q.Offset+q.Limit)
	c.add(func(s *statement) {
		s.add("(")
		for i, part := range one.parts {
			if i > 0 {
				s.add(" OR ")
			}
			s.add("(")
			one.meets(s, part)
			s.add(")")
		}
		if known.nulls {
			s.add(" OR ", p.quoted(p.geometry), " IS NULL")
		}
		s.add(")")
	})
	return nil
}

// boxCondition is a box as parts that do not cross the antimeridian, and how to compare a row with one.
type boxCondition struct {
	parts []registry.BBox
	meets func(*statement, registry.BBox)
	// direct: the parts are in the table's own reference system.
	direct bool
}

func (p *plan) boxCondition(b registry.BBox, prefilter bool) (boxCondition, error) {
	if b.EPSG() == p.srid {
		return boxCondition{b.Parts(), p.meetsDirectly, true}, nil
	}
	if parts, known := projection.Boxes(b, p.srid); known {
		return boxCondition{parts, p.meetsDirectly, true}, nil
	}
	parts, known := projection.Boxes(b, registry.WGS84)
	if !known {
		return boxCondition{}, fmt.Errorf("%w: bbox in EPSG:%d", registry.ErrCRS, b.EPSG())
	}
	return boxCondition{parts: parts, meets: func(s *statement, part registry.BBox) {
		if prefilter && isSmall(part) {
			p.near(s, part)
			s.add(" AND ")
		}
		s.add(p.function("ST_Intersects"), "(", p.function("ST_Transform"), "(", p.quoted(p.geometry), ", ",
			strconv.Itoa(registry.WGS84), "), ")
		s.bindBox(p, part, registry.WGS84)
		s.add(")")
	}}, nil
}

// meetsDirectly compares in the table's own reference system. The operators use the index and keep boxes in single
// precision, so what they say holds well inside and well outside of the box; what is near its edge is compared by
// itself: points by their coordinates, which is cheaper. CASE keeps the planner from taking two conditions for rare.
func (p *plan) meetsDirectly(s *statement, part registry.BBox) {
	geometry := p.quoted(p.geometry)
	s.add(geometry, p.table.operators, "&&) ")
	s.bindBox(p, part, p.srid)
	outer := len(s.values)
	s.add(" AND CASE ")
	if inner, ok := wellInside(part); ok {
		s.add("WHEN ", geometry, p.table.operators, "@) ")
		s.bindBox(p, inner, p.srid)
		s.add(" THEN true ")
	}
	if p.geometry.geometry != "Point" {
		s.add("WHEN ", p.function("ST_Intersects"), "(", geometry, ", ")
		s.place(outer)
		s.add(p.table.geometryCast, ") THEN true ELSE false END")
		return
	}
	for i, side := range []struct {
		function, than string
		bound          float64
	}{{"ST_X", "<", part.MinX}, {"ST_X", ">", part.MaxX}, {"ST_Y", "<", part.MinY}, {"ST_Y", ">", part.MaxY}} {
		s.add([]string{"WHEN ", " OR "}[min(i, 1)], p.function(side.function), "(", geometry, ") ", side.than, " ")
		s.bind(side.bound, "::float8")
	}
	s.add(" THEN false ELSE true END")
}

// wellInside is a box that is smaller by more than what boxes in single precision may be off; false if nothing is left
// of it.
func wellInside(b registry.BBox) (registry.BBox, bool) {
	const share, least = 5e-7, 1e-37 // some units of the last of the 24 bits
	margin := func(v float64) float64 { return math.Abs(v)*share + least }
	b.MinX, b.MaxX = b.MinX+margin(b.MinX), b.MaxX-margin(b.MaxX)
	b.MinY, b.MaxY = b.MinY+margin(b.MinY), b.MaxY-margin(b.MaxY)
	return b, b.MinX < b.MaxX && b.MinY < b.MaxY
}

// envelope binds a box and makes a geometry of it.
func (p *plan) envelope(s *statement, b registry.BBox, srid int) {
	s.add(p.function("ST_MakeEnvelope"), "(")
	for _, v := range []float64{b.MinX, b.MinY, b.MaxX, b.MaxY} {
		s.bind(v, "::float8")
		s.add(", ")
	}
	s.add(strconv.Itoa(srid), ")")
}

// near compares with the image of a box, a bit enlarged: no row that the box holds is left out.
func (p *plan) near(s *statement, b registry.BBox) {
	marginX, marginY := boxMargin*(b.MaxX-b.MinX)+1e-6, boxMargin*(b.MaxY-b.MinY)+1e-6
	b.MinX, b.MaxX, b.MinY, b.MaxY = b.MinX-marginX, b.MaxX+marginX, b.MinY-marginY, b.MaxY+marginY
	s.add(p.quoted(p.geometry), p.table.operators, "&&) ", p.function("ST_Transform"), "(",
		p.function("ST_Segmentize"), "(")
	p.envelope(s, b, registry.WGS84)
	s.add(", ")
	s.bind(max(b.MaxX-b.MinX, b.MaxY-b.MinY)/outline, "::float8")
	s.add("), ", strconv.Itoa(p.srid), ")")
}

func isSmall(b registry.BBox) bool {
	return b.MaxX-b.MinX <= smallBox && b.MaxY-b.MinY <= smallBox && b.MinY >= -polarLimit && b.MaxY <= polarLimit
}
