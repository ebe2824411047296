package geojson

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/planar"
	"github.com/honua-io/honua-gitops/reconciler/registry/projection"
)

// stride is how many features are looked at between two looks at the context.
const stride = 1024

func (d *data) query(ctx context.Context, layer *catalog.Layer, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	v, err := d.view(layer, q.CRS)
	if err != nil {
		return registry.Page{}, err
	}
	if q.BBox == nil && q.Time == nil && len(q.Filters) == 0 {
		return d.queryAll(ctx, &v, q, emit)
	}
	return d.querySelected(ctx, &v, q, emit)
}

// queryAll needs to look at the features of the page only.
func (d *data) queryAll(ctx context.Context, v *view, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	page := registry.Page{Matched: len(d.features)}
	first := min(q.Offset, len(d.features))
	last := first + min(q.Limit, len(d.features)-first)
	var buffer []byte
	for i := first; i < last; i++ {
		if page.Returned%stride == 0 && ctx.Err() != nil {
			return page, ctx.Err()
		}
		buffer = v.append(buffer[:0], i)
		if err := emit(buffer); err != nil {
			return page, err
		}
		page.Returned++
	}
	return page, nil
}

// querySelected looks at every candidate, also after the page, to know how many match.
func (d *data) querySelected(ctx context.Context, v *view, q registry.Query, emit func([]byte) error) (registry.Page, error) {
	var page registry.Page
	var buffer []byte
	where, err := areaOf(q.BBox)
	if err != nil {
		return page, err
	}
	matches := conditions(q)
	looked := 0
	for i := range d.candidates(where) {
		if looked++; looked%stride == 0 && ctx.Err() != nil {
			return page, ctx.Err()
		}
		if !d.meets(i, where) || !matches(d.bytes(d.features[i].properties)) {
			continue
		}
		page.Matched++
		if page.Matched <= q.Offset || page.Returned == q.Limit {
			continue
		}
		buffer = v.append(buffer[:0], i)
		if err := emit(buffer); err != nil {
			return page, err
		}
		page.Returned++
	}
	return page, ctx.Err()
}

// candidates yields, in the order of the file, every feature whose box meets the area or that has no geometry. One bit a
// feature is what it costs, whatever the number of hits.
func (d *data) candidates(where area) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		if where == nil {
			for i := range d.features {
				if !yield(i) {
					return
				}
			}
			return
		}
		hits := make([]uint64, (len(d.features)+63)/64)
		for _, item := range d.placeless {
			hits[item/64] |= 1 << (item % 64)
		}
		for _, part := range where {
			d.tree.search(part, func(item uint32) { hits[item/64] |= 1 << (item % 64) })
		}
		for at, word := range hits {
			for ; word != 0; word &= word - 1 {
				if !yield(at*64 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// meets decides by the geometry itself where its box leaves doubt. A feature without one meets every area
// (/req/core/fc-bbox-response C).
func (d *data) meets(index int, where area) bool {
	if where == nil || d.features[index].geometry == (span{}) {
		return true
	}
	for _, part := range where {
		b := d.boxes[index]
		if !b.meets(part) {
			continue
		}
		if b.inside(part) {
			return true
		}
		geometry, err := parseGeometry(d.bytes(d.features[index].geometry))
		if err == nil && planar.Intersects(geometry, part.bound()) {
			return true
		}
	}
	return false
}

// area is where a query looks, in degrees: nil for everywhere.
type area []box

func areaOf(b *registry.BBox) (area, error) {
	if b == nil {
		return nil, nil
	}
	parts, known := projection.Boxes(*b, registry.WGS84)
	if !known {
		return nil, fmt.Errorf("%w: EPSG:%d", registry.ErrCRS, b.EPSG())
	}
	where := area{}
	for _, part := range parts {
		where = append(where, box{part.MinX, part.MinY, part.MaxX, part.MaxY})
	}
	return where, nil
}

// get returns one feature.
func (d *data) get(layer *catalog.Layer, id string, crs registry.CRS) ([]byte, error) {
	v, err := d.view(layer, crs)
	if err != nil {
		return nil, err
	}
	index, found := d.find(v.ids, id)
	if !found {
		return nil, fmt.Errorf("%w: %q", registry.ErrFeatureNotFound, id)
	}
	return v.append(nil, index), nil
}
