package registry

import "time"

// Query selects a page of a layer's features. The conditions are joined by AND.
type Query struct {
	Limit   int      // most features to return, at least 1
	Offset  int      // matching features to pass over, 0 or more
	BBox    *BBox    // nil: everywhere
	Time    *Time    // nil: always
	Filters []Filter // properties that must equal a value
}

// BBox is a box in WGS 84 longitude and latitude (CRS84), boundary included. Where MinX is greater than MaxX it
// crosses the antimeridian.
type BBox struct {
	MinX, MinY, MaxX, MaxY float64
}

// Parts are the one or two boxes, none of which crosses the antimeridian, that the box consists of.
func (b BBox) Parts() []BBox {
	if b.MinX <= b.MaxX {
		return []BBox{b}
	}
	return []BBox{{b.MinX, b.MinY, 180, b.MaxY}, {-180, b.MinY, b.MaxX, b.MaxY}}
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
