package wkb

import (
	"math"

	"github.com/paulmach/orb"
)

// Decode returns a geometry without its heights; nil for an empty point. The error wraps ErrMalformed.
func Decode(geometry []byte) (orb.Geometry, error) {
	r := reader{rest: geometry}
	decoded := r.decode(0)
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes after its end", len(r.rest))
	}
	if r.err != nil {
		return nil, r.err
	}
	return decoded, nil
}

func (r *reader) decode(depth int) orb.Geometry {
	h := r.header()
	if depth > maxDepth {
		r.fail("more than %d collections inside each other", maxDepth)
	}
	if r.err != nil {
		return nil
	}
	switch h.kind {
	case point:
		if x, y, _ := r.position(h); !math.IsNaN(x) && !math.IsNaN(y) {
			return orb.Point{x, y}
		}
		return nil
	case lineString:
		return orb.LineString(r.points(h))
	case polygon, triangle:
		return r.polygon(h)
	case multiPoint, multiLineString, multiPolygon, collection, polyhedralSurface, tin:
		return r.nested(depth)
	}
	r.fail("type %d has no GeoJSON form", h.kind)
	return nil
}

// nested returns the parts of a multi-geometry or collection: what they have in common with others is all that is
// asked of them.
func (r *reader) nested(depth int) orb.Geometry {
	parts := orb.Collection{}
	for range r.count(5) {
		if part := r.decode(depth + 1); part != nil {
			parts = append(parts, part)
		}
		if r.err != nil {
			return nil
		}
	}
	return parts
}

func (r *reader) polygon(h header) orb.Polygon {
	n := r.count(4)
	rings := make(orb.Polygon, 0, n)
	for range n {
		rings = append(rings, orb.Ring(r.points(h)))
	}
	return rings
}

func (r *reader) points(h header) []orb.Point {
	n := r.count(8 * h.dimensions)
	points := make([]orb.Point, 0, n)
	for range n {
		x, y, _ := r.position(h)
		points = append(points, orb.Point{x, y})
	}
	return points
}
