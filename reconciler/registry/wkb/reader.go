package wkb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed says that bytes are no geometry that GeoJSON can show.
var ErrMalformed = errors.New("malformed geometry")

// maxDepth bounds collections inside each other.
const maxDepth = 32

// kind is a geometry's type as the standard numbers it.
type kind uint32

const (
	point kind = iota + 1
	lineString
	polygon
	multiPoint
	multiLineString
	multiPolygon
	collection

	polyhedralSurface kind = 15
	tin               kind = 16
	triangle          kind = 17
)

// Flags of EWKB in the type's number.
const (
	flagZ    = 0x80000000
	flagM    = 0x40000000
	flagSRID = 0x20000000
)

// header is what stands before each geometry, nested ones too.
type header struct {
	kind       kind
	dimensions int  // numbers of a position
	hasZ       bool // the third of them is a height
	srid       int  // EWKB only; 0 for none
}

// reader walks well-known binary. After a failure everything it returns is zero and err is set.
type reader struct {
	rest  []byte
	order binary.ByteOrder
	err   error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
	r.rest = nil
}

func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.fail("%d bytes missing", n-len(r.rest))
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return r.order.Uint32(b)
	}
	return 0
}

// count reads how many items follow, each of at least so many bytes: a number that cannot be true reserves nothing.
func (r *reader) count(least int) int {
	n := r.uint32()
	if int64(n)*int64(least) > int64(len(r.rest)) {
		r.fail("%d items announced, %d bytes left", n, len(r.rest))
		return 0
	}
	return int(n)
}

func (r *reader) header() header {
	switch b := r.take(1); {
	case b == nil:
		return header{}
	case b[0] == 0:
		r.order = binary.BigEndian
	case b[0] == 1:
		r.order = binary.LittleEndian
	default:
		r.fail("byte order %d", b[0])
		return header{}
	}
	code := r.uint32()
	hasZ, hasM := code&flagZ != 0, code&flagM != 0
	number := code &^ (flagZ | flagM | flagSRID)
	switch number / 1000 { // ISO: 1000 for Z, 2000 for M, 3000 for both
	case 0:
	case 1:
		hasZ = true
	case 2:
		hasM = true
	case 3:
		hasZ, hasM = true, true
	default:
		r.fail("type %d", code)
	}
	h := header{kind: kind(number % 1000), dimensions: 2, hasZ: hasZ}
	if hasZ {
		h.dimensions++
	}
	if hasM {
		h.dimensions++
	}
	if code&flagSRID != 0 {
		h.srid = int(r.uint32())
	}
	return h
}

// position reads one position; z is zero where there is no height.
func (r *reader) position(h header) (x, y, z float64) {
	b := r.take(8 * h.dimensions)
	if b == nil {
		return 0, 0, 0
	}
	x, y = math.Float64frombits(r.order.Uint64(b)), math.Float64frombits(r.order.Uint64(b[8:]))
	if h.hasZ {
		z = math.Float64frombits(r.order.Uint64(b[16:]))
	}
	return x, y, z
}

// SRID is the EPSG code that EWKB names, 0 for none.
func SRID(geometry []byte) int {
	r := reader{rest: geometry}
	return r.header().srid
}
