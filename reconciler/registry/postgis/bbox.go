package postgis

import (
	"fmt"
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
func (c *conditions) inside(p *plan, b registry.BBox, withNulls, prefilter bool) error {
	one, err := p.boxCondition(b, prefilter)
	if err != nil {
		return err
	}
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
		if withNulls {
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
}

func (p *plan) boxCondition(b registry.BBox, prefilter bool) (boxCondition, error) {
	if b.EPSG() == p.srid {
		return boxCondition{b.Parts(), p.meetsDirectly}, nil
	}
	if parts, known := projection.Boxes(b, p.srid); known {
		return boxCondition{parts, p.meetsDirectly}, nil
	}
	parts, known := projection.Boxes(b, registry.WGS84)
	if !known {
		return boxCondition{}, fmt.Errorf("%w: bbox in EPSG:%d", registry.ErrCRS, b.EPSG())
	}
	return boxCondition{parts, func(s *statement, part registry.BBox) {
		if prefilter && isSmall(part) {
			p.near(s, part)
			s.add(" AND ")
		}
		s.add(p.function("ST_Intersects"), "(", p.function("ST_Transform"), "(", p.quoted(p.geometry), ", ",
			strconv.Itoa(registry.WGS84), "), ")
		p.envelope(s, part, registry.WGS84)
		s.add(")")
	}}, nil
}

// meetsDirectly compares in the table's own reference system. The operator uses the index, which keeps boxes in single
// precision; what follows decides. Points are compared by their coordinates: that is cheaper, and CASE keeps the
// planner from taking two ranges for rare.
func (p *plan) meetsDirectly(s *statement, part registry.BBox) {
	geometry := p.quoted(p.geometry)
	s.add(geometry, " OPERATOR(", quote(p.table.postgis), ".&&) ")
	p.envelope(s, part, p.srid)
	if p.geometry.geometry != "Point" {
		s.add(" AND ", p.function("ST_Intersects"), "(", geometry, ", ")
		p.envelope(s, part, p.srid)
		s.add(")")
		return
	}
	first := len(s.args) - 3
	place := func(i int) string { return "$" + strconv.Itoa(first+i) + "::float8" }
	x, y := p.function("ST_X")+"("+geometry+")", p.function("ST_Y")+"("+geometry+")"
	s.add(" AND CASE WHEN ", x, " < ", place(0), " OR ", x, " > ", place(2),
		" OR ", y, " < ", place(1), " OR ", y, " > ", place(3), " THEN false ELSE true END")
}

// envelope binds a box and makes a geometry of it.
func (p *plan) envelope(s *statement, b registry.BBox, srid int) {
	s.add(p.function("ST_MakeEnvelope"), "(")
	for _, v := range []float64{b.MinX, b.MinY, b.MaxX, b.MaxY} {
		s.bind(v)
		s.add("::float8, ")
	}
	s.add(strconv.Itoa(srid), ")")
}

// near compares with the image of a box, a bit enlarged: no row that the box holds is left out.
func (p *plan) near(s *statement, b registry.BBox) {
	marginX, marginY := boxMargin*(b.MaxX-b.MinX)+1e-6, boxMargin*(b.MaxY-b.MinY)+1e-6
	b.MinX, b.MaxX, b.MinY, b.MaxY = b.MinX-marginX, b.MaxX+marginX, b.MinY-marginY, b.MaxY+marginY
	s.add(p.quoted(p.geometry), " OPERATOR(", quote(p.table.postgis), ".&&) ", p.function("ST_Transform"), "(",
		p.function("ST_Segmentize"), "(")
	p.envelope(s, b, registry.WGS84)
	s.add(", ")
	s.bind(max(b.MaxX-b.MinX, b.MaxY-b.MinY) / outline)
	s.add("::float8), ", strconv.Itoa(p.srid), ")")
}

func isSmall(b registry.BBox) bool {
	return b.MaxX-b.MinX <= smallBox && b.MaxY-b.MinY <= smallBox && b.MinY >= -polarLimit && b.MaxY <= polarLimit
}
