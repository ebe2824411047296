package geopackage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// errBlob says that a value is no GeoPackage geometry.
var errBlob = errors.New("not a GeoPackage geometry")

// blob is a GeoPackage geometry, taken apart.
type blob struct {
	wkb      []byte
	empty    bool
	bounded  bool
	envelope orb.Bound // if bounded
}

// parseBlob reads the header of a geometry.
func parseBlob(b []byte) (blob, error) {
	if len(b) < 8 || b[0] != 'G' || b[1] != 'P' {
		return blob{}, fmt.Errorf("%w: it does not begin with GP", errBlob)
	}
	flags := b[3]
	var order binary.ByteOrder = binary.BigEndian
	if flags&1 != 0 {
		order = binary.LittleEndian
	}
	kind := int(flags >> 1 & 7)
	sizes := []int{0, 32, 48, 48, 64} // of the envelope, by the flags (clause 2.1.3)
	if flags&0x20 != 0 || kind >= len(sizes) {
		return blob{}, fmt.Errorf("%w: flags %#x are of an extension", errBlob, flags)
	}
	size := sizes[kind]
	if len(b) < 8+size {
		return blob{}, fmt.Errorf("%w: its envelope is cut off", errBlob)
	}
	parsed := blob{wkb: b[8+size:], empty: flags&0x10 != 0}
	if size > 0 {
		at := func(i int) float64 { return math.Float64frombits(order.Uint64(b[8+8*i:])) }
		parsed.envelope = orb.Bound{Min: orb.Point{at(0), at(2)}, Max: orb.Point{at(1), at(3)}}
		parsed.bounded = !math.IsNaN(at(0)) && !math.IsNaN(at(1)) && !math.IsNaN(at(2)) && !math.IsNaN(at(3))
	}
	return parsed, nil
}
