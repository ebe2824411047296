package geojson

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
)

// idSource is where a layer's feature ids come from: the property named by the layer, else the features' own ids if
// all have one, else their place in the file, counted from 1.
type idSource struct {
	column string
	own    bool
}

func (d *data) idSource(column string) idSource {
	return idSource{column: column, own: column == "" && d.allIDs}
}

// id returns a feature's id as JSON; empty where the column holds neither a string nor a number.
func (d *data) id(source idSource, index int, scratch []byte) []byte {
	f := &d.features[index]
	switch {
	case source.own:
		return d.bytes(f.id)
	case source.column == "":
		return strconv.AppendInt(scratch[:0], int64(index)+1, 10)
	}
	value := property(d.bytes(f.properties), source.column)
	if !isString(value) && !isNumber(value) {
		return nil
	}
	return value
}

// idText is an id as it stands in a path: the content of a string, the digits of a number.
func idText(id []byte) []byte {
	if isString(id) {
		return stringBytes(id)
	}
	return id
}

// idIndexes are the orders by id of one file, one for each column that layers name, made when first needed.
type idIndexes struct {
	mu      sync.Mutex
	byWhere map[idSource]*idIndex
}

// idIndex holds the features that have an id, sorted by its text. It costs four bytes a feature.
type idIndex struct {
	sorted    []uint32
	missing   int // first feature without an id, counted from 1; 0 if there is none
	duplicate int // a feature with another one's id, counted from 1; 0 if there is none
}

func (d *data) idIndex(source idSource) *idIndex {
	d.ids.mu.Lock()
	defer d.ids.mu.Unlock()
	if index := d.ids.byWhere[source]; index != nil {
		return index
	}
	if d.ids.byWhere == nil {
		d.ids.byWhere = make(map[idSource]*idIndex)
	}
	index := d.makeIDIndex(source)
	d.ids.byWhere[source] = index
	return index
}

func (d *data) makeIDIndex(source idSource) *idIndex {
	index := &idIndex{}
	texts := make([][]byte, len(d.features))
	for i := range d.features {
		id := d.id(source, i, nil)
		if len(id) == 0 {
			if index.missing == 0 {
				index.missing = i + 1
			}
			continue
		}
		texts[i] = idText(id)
		index.sorted = append(index.sorted, uint32(i))
	}
	slices.SortStableFunc(index.sorted, func(a, b uint32) int { return bytes.Compare(texts[a], texts[b]) })
	for i := 1; i < len(index.sorted); i++ {
		if bytes.Equal(texts[index.sorted[i-1]], texts[index.sorted[i]]) {
			index.duplicate = int(index.sorted[i]) + 1
			break
		}
	}
	return index
}

// find returns the feature with the id.
func (d *data) find(source idSource, id string) (int, bool) {
	if source.column == "" && !source.own {
		ordinal, err := strconv.Atoi(id)
		// Only the one spelling that is given out is an id.
		found := err == nil && ordinal >= 1 && ordinal <= len(d.features) && strconv.Itoa(ordinal) == id
		return ordinal - 1, found
	}
	index := d.idIndex(source)
	at, found := slices.BinarySearchFunc(index.sorted, id, func(item uint32, id string) int {
		return bytes.Compare(idText(d.id(source, int(item), nil)), []byte(id))
	})
	if !found {
		return 0, false
	}
	return int(index.sorted[at]), true
}

// haveUniqueIDs reports whether the features' own ids can be told apart.
func (d *data) haveUniqueIDs() bool {
	if len(d.features) == 0 || d.features[0].id == (span{}) {
		return false
	}
	index := d.idIndex(idSource{own: true})
	return index.missing == 0 && index.duplicate == 0
}
