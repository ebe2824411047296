package wkb

import (
	"math"
	"strconv"
)

// Options say how coordinates are written.
type Options struct {
	// Transform turns an easting and a northing into another reference system's. Nil: they stay.
	Transform func(x, y float64) (float64, float64)
	// NorthFirst writes northing or latitude before easting or longitude.
	NorthFirst bool
}

// AppendGeoJSON adds a geometry as a GeoJSON geometry object. An empty point, which GeoJSON cannot show, becomes
// null. The error wraps ErrMalformed; what was added by then is to be thrown away.
func AppendGeoJSON(out, geometry []byte, o Options) ([]byte, error) {
	w := writer{reader: reader{rest: geometry}, options: o, out: out}
	w.geometry(0)
	if w.err == nil && len(w.rest) > 0 {
		w.fail("%d bytes after its end", len(w.rest))
	}
	return w.out, w.err
}

// writer reads binary on one side and adds text on the other.
type writer struct {
	reader

	options Options
	out     []byte
}

func (w *writer) geometry(depth int) {
	h := w.header()
	if w.err != nil {
		return
	}
	if depth > maxDepth {
		w.fail("more than %d collections inside each other", maxDepth)
		return
	}
	if h.kind == collection {
		w.open("GeometryCollection", `,"geometries":[`)
		w.each(w.count(5), func() { w.geometry(depth + 1) })
		w.out = append(w.out, "]}"...)
		return
	}
	w.simple(h)
}

// simple writes everything but collections of geometries.
func (w *writer) simple(h header) {
	name := h.kind.geoJSON()
	if name == "" {
		w.fail("type %d has no GeoJSON form", h.kind)
		return
	}
	if h.kind == point {
		w.point(h)
		return
	}
	w.open(name, `,"coordinates":`)
	switch h.kind {
	case lineString:
		w.positions(h)
	case polygon, triangle:
		w.rings(h)
	default:
		w.parts()
	}
	w.out = append(w.out, '}')
}

func (k kind) geoJSON() string {
	switch k {
	case point:
		return "Point"
	case lineString:
		return "LineString"
	case polygon, triangle:
		return "Polygon"
	case multiPoint:
		return "MultiPoint"
	case multiLineString:
		return "MultiLineString"
	case multiPolygon, polyhedralSurface, tin:
		return "MultiPolygon"
	}
	return ""
}

func (w *writer) open(name, member string) {
	w.out = append(w.out, `{"type":"`...)
	w.out = append(w.out, name...)
	w.out = append(w.out, '"')
	w.out = append(w.out, member...)
}

// point writes a Point object, or null for the empty one, whose coordinates are NaN.
func (w *writer) point(h header) {
	x, y, z := w.position(h)
	if math.IsNaN(x) || math.IsNaN(y) {
		w.out = append(w.out, "null"...)
		return
	}
	w.open("Point", `,"coordinates":`)
	w.write(h, x, y, z)
	w.out = append(w.out, '}')
}

// parts writes the coordinates of the geometries that a multi-geometry holds.
func (w *writer) parts() {
	w.out = append(w.out, '[')
	w.each(w.count(5), func() {
		switch h := w.header(); h.kind {
		case point:
			x, y, z := w.position(h)
			w.write(h, x, y, z)
		case lineString:
			w.positions(h)
		case polygon, triangle:
			w.rings(h)
		default:
			w.fail("type %d inside a multi-geometry", h.kind)
		}
	})
	w.out = append(w.out, ']')
}

func (w *writer) rings(h header) {
	w.out = append(w.out, '[')
	w.each(w.count(4), func() { w.positions(h) })
	w.out = append(w.out, ']')
}

func (w *writer) positions(h header) {
	w.out = append(w.out, '[')
	n := w.count(8 * h.dimensions)
	for i := range n {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		x, y, z := w.position(h)
		w.write(h, x, y, z)
	}
	w.out = append(w.out, ']')
}

func (w *writer) each(n int, item func()) {
	for i := range n {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if item(); w.err != nil {
			return
		}
	}
}

func (w *writer) write(h header, x, y, z float64) {
	if w.options.Transform != nil {
		x, y = w.options.Transform(x, y)
	}
	if w.options.NorthFirst {
		x, y = y, x
	}
	w.out = AppendNumber(append(w.out, '['), x)
	w.out = AppendNumber(append(w.out, ','), y)
	if h.hasZ {
		w.out = AppendNumber(append(w.out, ','), z)
	}
	w.out = append(w.out, ']')
	if math.IsNaN(x-x) || math.IsNaN(y-y) || h.hasZ && math.IsNaN(z-z) { // not finite: JSON cannot say it
		w.fail("a coordinate is not finite")
	}
}

const (
	decimals = 1e9
	// exact is what times decimals still has no more than the 53 bits of a float64.
	exact = 9e6
)

// AppendNumber adds a coordinate, rounded to nine decimals as ST_AsGeoJSON does: a tenth of a millimetre in degrees.
func AppendNumber(out []byte, v float64) []byte {
	if !(math.Abs(v) < exact) {
		return strconv.AppendFloat(out, v, 'f', -1, 64)
	}
	scaled := int64(math.Round(v * decimals))
	if scaled < 0 {
		out = append(out, '-')
		scaled = -scaled
	}
	out = strconv.AppendInt(out, scaled/decimals, 10)
	fraction := scaled % decimals
	if fraction == 0 {
		return out
	}
	digits := [10]byte{'.'}
	for i := 9; i > 0; i-- {
		digits[i] = byte('0' + fraction%10)
		fraction /= 10
	}
	end := len(digits)
	for digits[end-1] == '0' {
		end--
	}
	return append(out, digits[:end]...)
}
