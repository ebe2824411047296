package registry

import "errors"

// ErrCRS says that a layer's source cannot answer in a coordinate reference system. Every source can in those with
// the codes WGS84 and WebMercator, and in the layer's own.
var ErrCRS = errors.New("unsupported coordinate reference system")

// EPSG codes that every source knows.
const (
	WGS84       = 4326
	WebMercator = 3857
)

// CRS is a coordinate reference system and the order in which it writes coordinates. Its zero value is CRS84: WGS 84,
// longitude before latitude, what GeoJSON is in.
type CRS struct {
	SRID       int  // EPSG code; 0 stands for WGS84
	NorthFirst bool // northing or latitude comes first, as in EPSG:4326
}

// EPSG is the code of the system, whatever the order of its axes.
func (c CRS) EPSG() int { return epsg(c.SRID) }

func epsg(srid int) int {
	if srid == 0 {
		return WGS84
	}
	return srid
}
