package geojson

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

// maxCollectionDepth bounds GeometryCollections inside each other.
const maxCollectionDepth = 16

var errCoordinates = errors.New("coordinates are not those of its type")

// parseGeometry reads a geometry object of compact JSON. Heights are passed over: every question asked of a geometry
// here is about longitude and latitude.
func parseGeometry(object []byte) (orb.Geometry, error) { return parseNested(object, 0) }

func parseNested(object []byte, depth int) (orb.Geometry, error) {
	if object[0] != '{' {
		return nil, errors.New("neither an object nor null")
	}
	var kind, coordinates, geometries []byte
	for key, value := range members(object) {
		switch string(key) {
		case "type":
			kind = value
		case "coordinates":
			coordinates = value
		case "geometries":
			geometries = value
		}
	}
	if string(kind) == `"GeometryCollection"` {
		return parseCollection(geometries, depth)
	}
	return parseCoordinates(kind, coordinates)
}

func parseCollection(list []byte, depth int) (orb.Geometry, error) {
	if len(list) == 0 || list[0] != '[' {
		return nil, errors.New("a GeometryCollection without an array \"geometries\"")
	}
	if depth == maxCollectionDepth {
		return nil, fmt.Errorf("more than %d GeometryCollections inside each other", maxCollectionDepth)
	}
	collection := orb.Collection{}
	for part := range elements(list) {
		geometry, err := parseNested(part, depth+1)
		if err != nil {
			return nil, err
		}
		collection = append(collection, geometry)
	}
	return collection, nil
}

func parseCoordinates(kind, coordinates []byte) (orb.Geometry, error) {
	switch string(kind) {
	case `"Point"`:
		return geometryOf(position(coordinates))
	case `"MultiPoint"`:
		points, err := positions(coordinates)
		return geometryOf(orb.MultiPoint(points), err)
	case `"LineString"`:
		return geometryOf(lineString(coordinates))
	case `"MultiLineString"`:
		lines, err := list(coordinates, lineString)
		return geometryOf(orb.MultiLineString(lines), err)
	case `"Polygon"`:
		return geometryOf(polygon(coordinates))
	case `"MultiPolygon"`:
		polygons, err := list(coordinates, polygon)
		return geometryOf(orb.MultiPolygon(polygons), err)
	}
	return nil, fmt.Errorf("unknown type %s", shorten(kind))
}

// geometryOf keeps a typed zero value from passing for a geometry.
func geometryOf(geometry orb.Geometry, err error) (orb.Geometry, error) {
	if err != nil {
		return nil, err
	}
	return geometry, nil
}

func position(value []byte) (orb.Point, error) {
	var point orb.Point
	count := 0
	for element := range elements(value) {
		if !isNumber(element) {
			return point, errCoordinates
		}
		number, err := strconv.ParseFloat(string(element), 64)
		if err != nil || math.IsInf(number, 0) {
			return point, fmt.Errorf("%w: %s is out of range", errCoordinates, shorten(element))
		}
		if count < len(point) {
			point[count] = number
		}
		count++
	}
	if count < len(point) {
		return point, errCoordinates
	}
	return point, nil
}

func positions(value []byte) ([]orb.Point, error) { return list(value, position) }

func lineString(value []byte) (orb.LineString, error) {
	points, err := positions(value)
	if err == nil && len(points) == 1 {
		err = fmt.Errorf("%w: a line of one position", errCoordinates)
	}
	return orb.LineString(points), err
}

// polygon reads rings. A ring has at least four positions, of which the last is the first.
func polygon(value []byte) (orb.Polygon, error) {
	rings, err := list(value, func(part []byte) (orb.Ring, error) {
		points, err := positions(part)
		if err == nil && (len(points) < 4 || points[0] != points[len(points)-1]) {
			err = fmt.Errorf("%w: a ring that is not closed or has fewer than four positions", errCoordinates)
		}
		return orb.Ring(points), err
	})
	return orb.Polygon(rings), err
}

func list[T any](value []byte, item func([]byte) (T, error)) ([]T, error) {
	if len(value) == 0 || value[0] != '[' {
		return nil, errCoordinates
	}
	var items []T
	for element := range elements(value) {
		next, err := item(element)
		if err != nil {
			return nil, err
		}
		items = append(items, next)
	}
	return items, nil
}
