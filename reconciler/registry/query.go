package registry

import "time"

// Query selects a page of a layer's features. The conditions are joined by AND.
type Query struct {
	Limit   int      // most features to return, at least 1
	Offset  int      // matching features to pass over, 0 or more
	BBox    *BBox    // nil: everywhere
	Time    *Time    // nil: always
	Filters []Filter // properties that must equal a value
	CRS     CRS      // what the features' geometries are written in; zero: CRS84
}

// BBox is a box, boundary included. X is easting or longitude and Y northing or latitude, whatever order the authority
// of the system writes them in. A box in degrees whose MinX is greater than MaxX crosses the antimeridian.
type BBox struct {
	MinX, MinY, MaxX, MaxY float64
	SRID                   int // EPSG code of the numbers; 0 stands for WGS84
}

// EPSG is the code of the system that the numbers are in.
func (b BBox) EPSG() int { return epsg(b.SRID) }

// Parts are the one or two boxes, none of which crosses the antimeridian, that the box consists of. Only a box in
// degrees can be two.
func (b BBox) Parts() []BBox {
	if b.MinX <= b.MaxX {
		return []BBox{b}
	}
	return []BBox{{b.MinX, b.MinY, 180, b.MaxY, b.SRID}, {-180, b.MinY, b.MaxX, b.MaxY, b.SRID}}
}

// Time selects features whose temporal property intersects an interval, both ends included.
type Time struct {
	Property string    // of type date or datetime
	From, To time.Time // zero: open
}

// Filter is a property and the value it must equal: a string, int64, float64 or bool, or a time.Time for a property
// of type datetime. Dates are strings of the form 2006-01-02.
type Filter struct {
	Property string
	Value    any
}

// Page is what a query found.
type Page struct {
	Matched  int // features that meet the conditions, whatever limit and offset; -1 where that is not known
	Returned int // features emitted
}
