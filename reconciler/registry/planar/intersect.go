// Package planar compares geometries with boxes, for sources that cannot do it themselves.
package planar

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Intersects reports whether a geometry and a box have a point in common, boundaries included.
func Intersects(geometry orb.Geometry, b orb.Bound) bool {
	switch g := geometry.(type) {
	case orb.Point:
		return b.Contains(g)
	case orb.MultiPoint:
		return anyOf(g, b.Contains)
	case orb.LineString:
		return lineIntersects(g, b)
	case orb.MultiLineString:
		return anyOf(g, func(line orb.LineString) bool { return lineIntersects(line, b) })
	case orb.Polygon:
		return polygonIntersects(g, b)
	case orb.MultiPolygon:
		return anyOf(g, func(polygon orb.Polygon) bool { return polygonIntersects(polygon, b) })
	case orb.Collection:
		return anyOf(g, func(part orb.Geometry) bool { return Intersects(part, b) })
	}
	return false
}

func anyOf[T any](items []T, holds func(T) bool) bool {
	for _, item := range items {
		if holds(item) {
			return true
		}
	}
	return false
}

// polygonIntersects: either a ring meets the box, or the box lies in the polygon, or apart from it; the last two are
// told apart by any one point of the box.
func polygonIntersects(polygon orb.Polygon, b orb.Bound) bool {
	for _, ring := range polygon {
		if lineIntersects(orb.LineString(ring), b) {
			return true
		}
	}
	return len(polygon) > 0 && planar.PolygonContains(polygon, b.Min)
}

func lineIntersects(line orb.LineString, b orb.Bound) bool {
	for i := 1; i < len(line); i++ {
		if segmentIntersects(line[i-1], line[i], b) {
			return true
		}
	}
	return false
}

// segmentIntersects clips the segment to the box (Liang–Barsky): something is left iff they meet.
func segmentIntersects(from, to orb.Point, b orb.Bound) bool {
	enter, leave := 0.0, 1.0
	for axis := range from {
		delta := to[axis] - from[axis]
		low, high := b.Min[axis]-from[axis], b.Max[axis]-from[axis]
		if delta == 0 {
			if low > 0 || high < 0 {
				return false
			}
			continue
		}
		if delta < 0 {
			low, high = high, low
		}
		enter, leave = max(enter, low/delta), min(leave, high/delta)
		if enter > leave {
			return false
		}
	}
	return true
}
