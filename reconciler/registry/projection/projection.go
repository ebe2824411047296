// Package projection turns coordinates of one reference system into another's, for sources that cannot do it
// themselves: between WGS 84 in degrees and the Web Mercator of maps.
package projection

import (
	"math"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

const (
	// radius is the semi-major axis of WGS 84 in metres, the sphere's radius in EPSG:3857.
	radius = 6378137.0
	// limit keeps the poles, which Mercator has at infinity, on paper. In degrees.
	limit = 89.999999
)

// Function turns an easting or longitude and a northing or latitude into another system's.
type Function func(x, y float64) (float64, float64)

// Between returns how to get from one EPSG code to another; false where that is not known.
func Between(from, to int) (Function, bool) {
	switch {
	case from == to:
		return func(x, y float64) (float64, float64) { return x, y }, true
	case from == registry.WGS84 && to == registry.WebMercator:
		return toMercator, true
	case from == registry.WebMercator && to == registry.WGS84:
		return fromMercator, true
	}
	return nil, false
}

func toMercator(x, y float64) (float64, float64) {
	y = max(-limit, min(limit, y))
	return radius * radians(x), radius * math.Asinh(math.Tan(radians(y)))
}

func fromMercator(x, y float64) (float64, float64) {
	return degrees(x / radius), degrees(math.Atan(math.Sinh(y / radius)))
}

func radians(x float64) float64 { return x * (math.Pi / 180) }
func degrees(x float64) float64 { return x * (180 / math.Pi) }

// Boxes are the parts of a box in another system: both functions above go up with each coordinate and depend on that
// one alone, so corners become corners.
func Boxes(b registry.BBox, to int) ([]registry.BBox, bool) {
	transform, ok := Between(b.EPSG(), to)
	if !ok {
		return nil, false
	}
	parts := b.Parts()
	for i, part := range parts {
		minX, minY := transform(part.MinX, part.MinY)
		maxX, maxY := transform(part.MaxX, part.MaxY)
		parts[i] = registry.BBox{MinX: minX, MinY: minY, MaxX: maxX, MaxY: maxY, SRID: to}
	}
	return parts, true
}
