package geojson

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// box is a range of longitude and latitude, boundary included.
type box struct{ minX, minY, maxX, maxY float64 }

// nowhere is the box that meets no other.
func nowhere() box { return box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)} }

func (b box) empty() bool { return b.minX > b.maxX }

func (b box) meets(o box) bool {
	return b.minX <= o.maxX && b.maxX >= o.minX && b.minY <= o.maxY && b.maxY >= o.minY
}

func (b box) inside(o box) bool {
	return b.minX >= o.minX && b.maxX <= o.maxX && b.minY >= o.minY && b.maxY <= o.maxY
}

func (b box) bound() orb.Bound {
	return orb.Bound{Min: orb.Point{b.minX, b.minY}, Max: orb.Point{b.maxX, b.maxY}}
}

func (b box) union(o box) box {
	return box{min(b.minX, o.minX), min(b.minY, o.minY), max(b.maxX, o.maxX), max(b.maxY, o.maxY)}
}

// tree is a packed R-tree: items are sorted into tiles (sort-tile-recursive, Leutenegger et al. 1997), and every
// fanout of them share a node. levels[0] holds the items' boxes, the last level at most fanout boxes.
type tree struct {
	items  []uint32
	levels [][]box
}

const fanout = 16

// newTree indexes the boxes that are somewhere.
func newTree(boxes []box) *tree {
	t := &tree{}
	for i, b := range boxes {
		if !b.empty() {
			t.items = append(t.items, uint32(i))
		}
	}
	sortTiles(t.items, boxes)
	level := make([]box, len(t.items))
	for i, item := range t.items {
		level[i] = boxes[item]
	}
	t.levels = append(t.levels, level)
	for len(level) > fanout {
		level = pack(level)
		t.levels = append(t.levels, level)
	}
	return t
}

func sortTiles(items []uint32, boxes []box) {
	slices.SortFunc(items, func(a, b uint32) int {
		return cmp.Compare(boxes[a].minX+boxes[a].maxX, boxes[b].minX+boxes[b].maxX)
	})
	tiles := max(1, int(math.Ceil(math.Sqrt(float64(len(items))/fanout))))
	size := (len(items)/tiles/fanout + 1) * fanout
	for start := 0; start < len(items); start += size {
		sortByY(items[start:min(start+size, len(items))], boxes)
	}
}

func sortByY(items []uint32, boxes []box) {
	slices.SortFunc(items, func(a, b uint32) int {
		return cmp.Compare(boxes[a].minY+boxes[a].maxY, boxes[b].minY+boxes[b].maxY)
	})
}

func pack(level []box) []box {
	packed := make([]box, 0, len(level)/fanout+1)
	for group := range slices.Chunk(level, fanout) {
		whole := group[0]
		for _, b := range group[1:] {
			whole = whole.union(b)
		}
		packed = append(packed, whole)
	}
	return packed
}

// search calls found with each item whose box meets the area, in no order.
func (t *tree) search(area box, found func(item uint32)) {
	top := len(t.levels) - 1
	t.searchNode(top, 0, len(t.levels[top]), area, found)
}

func (t *tree) searchNode(level, from, to int, area box, found func(item uint32)) {
	for i, b := range t.levels[level][from:to] {
		if !b.meets(area) {
			continue
		}
		at := from + i
		if level == 0 {
			found(t.items[at])
			continue
		}
		below := at * fanout
		t.searchNode(level-1, below, min(below+fanout, len(t.levels[level-1])), area, found)
	}
}
