package config

import (
	"slices"
	"strconv"
	"strings"
)

type nodeKind int

const (
	null nodeKind = iota
	text
	number
	boolean
	array
	object
)

// node is a JSON value that knows where it came from.
type node struct {
	kind   nodeKind
	value  string   // of text, number and boolean
	fields []*field // of an object, in the order of the file; of an array, named "0", "1", …
	source string   // "file:line:column" or "environment variable NAME"
}

type field struct {
	name  string
	value *node
}

// child finds a field regardless of case, as .NET does.
func (n *node) child(name string) *field {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if strings.EqualFold(f.name, name) {
			return f
		}
	}
	return nil
}

// set puts value at path below n. Objects that are missing on the way are made,
// scalars on the way are replaced. It reports false, changing nothing, where
// overwrite is false and the path is taken.
func (n *node) set(path []string, value *node, overwrite bool) bool {
	if n.kind != object && n.kind != array {
		if !overwrite {
			return false
		}
		*n = node{kind: object, source: value.source}
	}
	found := n.child(path[0])
	if found == nil {
		found = &field{name: path[0]}
		n.fields = append(n.fields, found)
		if len(path) > 1 {
			found.value = &node{kind: object, source: value.source}
		}
	} else if len(path) == 1 && !overwrite {
		return false
	}
	if len(path) > 1 {
		return found.value.set(path[1:], value, overwrite)
	}
	found.value = value
	return true
}

// items returns the elements of an array, or of an object whose names are all
// indexes, in the order of the indexes. Gaps are closed, as .NET does.
func (n *node) items() ([]*node, bool) {
	type item struct {
		index int
		value *node
	}
	if n.kind != array && n.kind != object {
		return nil, false
	}
	found := make([]item, 0, len(n.fields))
	for _, f := range n.fields {
		index, err := strconv.Atoi(f.name)
		if err != nil || index < 0 {
			return nil, false
		}
		found = append(found, item{index, f.value})
	}
	slices.SortStableFunc(found, func(a, b item) int { return a.index - b.index })
	values := make([]*node, len(found))
	for i, f := range found {
		values[i] = f.value
	}
	return values, true
}

// quoted is the value as the operator wrote it, for messages.
func (n *node) quoted() string {
	switch n.kind {
	case text:
		return strconv.Quote(n.value)
	case number, boolean:
		return n.value
	case array:
		return "a list"
	case object:
		return "a section"
	default:
		return "null"
	}
}

// names are the names of the fields, in order; none for nil.
func (n *node) names() []string {
	if n == nil {
		return nil
	}
	names := make([]string, len(n.fields))
	for i, f := range n.fields {
		names[i] = f.name
	}
	return names
}
