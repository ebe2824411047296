package geojson

import (
	"fmt"
	"strconv"

	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/projection"
)

// rewrite puts the first two numbers of a position into another reference system. What follows them, heights, stays.
type rewrite func(out, x, y []byte) []byte

// rewriteTo returns how to write coordinates of the file in a reference system; nil for the one they are in.
func rewriteTo(crs registry.CRS) (rewrite, error) {
	transform, known := projection.Between(registry.WGS84, crs.EPSG())
	switch {
	case !known:
		return nil, fmt.Errorf("%w: EPSG:%d", registry.ErrCRS, crs.EPSG())
	case crs.EPSG() != registry.WGS84:
		return func(out, x, y []byte) []byte {
			east, north := transform(number(x), number(y))
			if crs.NorthFirst {
				east, north = north, east
			}
			out = strconv.AppendFloat(out, east, 'f', -1, 64)
			return strconv.AppendFloat(append(out, ','), north, 'f', -1, 64)
		}, nil
	case crs.NorthFirst:
		return func(out, x, y []byte) []byte {
			return append(append(append(out, y...), ','), x...)
		}, nil
	}
	return nil, nil
}

// number reads a number that was checked when the file was read.
func number(text []byte) float64 {
	value, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0 // not reached
	}
	return value
}

// geometry appends a geometry object, rewritten. Members that are no geometry, like bbox, are left out: they would
// speak of the old system.
func (w rewrite) geometry(out, object []byte) []byte {
	out = append(out, '{')
	for key, value := range members(object) {
		if out[len(out)-1] != '{' && (string(key) == "type" || string(key) == "coordinates" || string(key) == "geometries") {
			out = append(out, ',')
		}
		switch string(key) {
		case "type":
			out = append(append(out, `"type":`...), value...)
		case "coordinates":
			out = w.coordinates(append(out, `"coordinates":`...), value)
		case "geometries":
			out = w.each(append(out, `"geometries":`...), value, w.geometry)
		}
	}
	return append(out, '}')
}

// coordinates appends a position or an array of arrays of positions.
func (w rewrite) coordinates(out, array []byte) []byte {
	if len(array) > 1 && !isNumber(array[1:]) {
		return w.each(out, array, w.coordinates)
	}
	xEnd := skipValue(array, 1)
	yEnd := skipValue(array, xEnd+1)
	out = w(append(out, '['), array[1:xEnd], array[xEnd+1:yEnd])
	return append(out, array[yEnd:]...)
}

func (w rewrite) each(out, array []byte, item func(out, value []byte) []byte) []byte {
	out = append(out, '[')
	for value := range elements(array) {
		if out[len(out)-1] != '[' {
			out = append(out, ',')
		}
		out = item(out, value)
	}
	return append(out, ']')
}
