package catalog

import (
	"bytes"
	"encoding/json"
	"sort"
)

// kind is the JSON type of a node.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject
)

// String names the kind as messages do.
func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// node is one JSON value or key on a document's tape. A container is followed by what it holds (an object by key,
// value, key, value …), so that a file costs 16 bytes for each value and no pointer.
type node struct {
	start, end int32 // byte offsets
	next       int32 // index of the first node behind this one and all it holds
	kind       kind
	escaped    bool // a string with backslashes
}

// document is a file that is syntactically JSON.
type document struct {
	file       string
	content    []byte
	nodes      []node
	duplicates []int32 // keys that repeat an earlier key of their object, ascending
	lines      []int32 // offsets at which lines begin
	problems   *problems
}

// root is the value of the whole document.
func (d *document) root() value { return value{doc: d, key: -1, index: -1} }

// position turns a byte offset into line and column.
func (d *document) position(offset int32) Position {
	line := sort.Search(len(d.lines), func(i int) bool { return d.lines[i] > offset })
	return Position{File: d.file, Line: line, Column: int(offset-d.lines[line-1]) + 1}
}

// text is the decoded string of a node that is one.
func (d *document) text(n node) []byte {
	inner := d.content[n.start+1 : n.end-1]
	if !n.escaped {
		return inner
	}
	var decoded string
	if err := json.Unmarshal(d.content[n.start:n.end], &decoded); err != nil {
		return inner
	}
	return []byte(decoded)
}

// lineStarts are the offsets at which the lines of content begin.
func lineStarts(content []byte) []int32 {
	starts := make([]int32, 1, 1+bytes.Count(content, []byte{'\n'}))
	for offset := 0; ; {
		i := bytes.IndexByte(content[offset:], '\n')
		if i < 0 {
			return starts
		}
		offset += i + 1
		starts = append(starts, int32(offset))
	}
}
