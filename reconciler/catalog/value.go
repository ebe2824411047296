package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
)

// value is a node with the way to it, so that what is wrong with it can be said with place and path.
type value struct {
	doc    *document
	parent *value
	at     int32
	key    int32 // node of the key it stands under, -1 outside objects
	index  int32 // place in its list, -1 outside lists
}

func (v value) node() node { return v.doc.nodes[v.at] }
func (v value) kind() kind { return v.node().kind }
func (v value) raw() []byte {
	return v.doc.content[v.node().start:v.node().end]
}
func (v value) position() Position { return v.doc.position(v.node().start) }

// elements are the values of a list; what is no list is reported and has none.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		if !v.is(kindArray) {
			return
		}
		index := int32(0)
		for i := v.at + 1; i < v.node().next; i = v.doc.nodes[i].next {
			if !yield(value{doc: v.doc, parent: &v, at: i, key: -1, index: index}) {
				return
			}
			index++
		}
	}
}

// count is the number of elements of a list; 0 for what is none.
func (v value) count() int {
	count := 0
	if v.kind() == kindArray {
		for i := v.at + 1; i < v.node().next; i = v.doc.nodes[i].next {
			count++
		}
	}
	return count
}

// members are the names and values of an object; what is no object is reported and has none.
func (v value) members() iter.Seq2[[]byte, value] {
	return func(yield func([]byte, value) bool) {
		if !v.is(kindObject) {
			return
		}
		for i := v.at + 1; i < v.node().next; i = v.doc.nodes[i+1].next {
			if !yield(v.doc.text(v.doc.nodes[i]), value{doc: v.doc, parent: &v, at: i + 1, key: i, index: -1}) {
				return
			}
		}
	}
}

// is reports whether the value has the kind; if not, that is a problem.
func (v value) is(wanted kind) bool {
	if v.kind() == wanted {
		return true
	}
	v.fail(CodeWrongType, "must be %s, not %s", wanted, v.kind())
	return false
}

// text is a string; what is none is reported.
func (v value) text() string {
	if !v.is(kindString) {
		return ""
	}
	return string(v.doc.text(v.node()))
}

// boolean is true or false; what is neither is reported.
func (v value) boolean() bool { return v.is(kindBoolean) && v.raw()[0] == 't' }

// integer is a whole number from least to most, both included; what is none is reported.
func (v value) integer(least, most int) (int, bool) {
	if !v.is(kindNumber) {
		return 0, false
	}
	n, err := strconv.Atoi(string(v.raw()))
	if err != nil || n < least || n > most {
		v.fail(CodeOutOfRange, "must be a whole number from %d to %d, not %s", least, most, clip(string(v.raw())))
		return 0, false
	}
	return n, true
}

// number is a finite number; what is none is reported.
func (v value) number() (float64, bool) {
	if !v.is(kindNumber) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.raw()), 64)
	if err != nil {
		v.fail(CodeOutOfRange, "is too large a number: %s", clip(string(v.raw())))
		return 0, false
	}
	return f, true
}

// require reports the names that the object lacks.
func (v value) require(names ...string) {
	if v.kind() != kindObject {
		return
	}
	for _, name := range names {
		if !v.has(name) {
			v.missing(name, "is required")
		}
	}
}

func (v value) has(name string) bool {
	for i := v.at + 1; i < v.node().next; i = v.doc.nodes[i+1].next {
		if string(v.doc.text(v.doc.nodes[i])) == name {
			return true
		}
	}
	return false
}

// missing reports something about a property that the object lacks.
func (v value) missing(name, message string) {
	if v.doc.problems.full(Error) {
		return
	}
	v.doc.problems.add(Problem{Position: v.position(), Field: join(v.path(), name), Message: message, Code: CodeMissing})
}

// keep adds an unknown property to extra and warns of it.
func (v value) keep(extra map[string]json.RawMessage, known ...string) map[string]json.RawMessage {
	name := string(v.doc.text(v.doc.nodes[v.key]))
	if !v.doc.problems.full(Warning) {
		v.doc.problems.add(Problem{
			Position: v.doc.position(v.doc.nodes[v.key].start), Field: v.path(), Severity: Warning, Code: CodeUnknownProperty,
			Message: "unknown property, kept as it is" + Suggest(name, known),
		})
	}
	if extra == nil {
		extra = make(map[string]json.RawMessage, 1)
	}
	extra[name] = v.compact()
	return extra
}

// compact is a copy of the value as written, without white space between its parts.
func (v value) compact() json.RawMessage {
	var out bytes.Buffer
	if err := json.Compact(&out, v.raw()); err != nil {
		return bytes.Clone(v.raw())
	}
	return bytes.Clone(out.Bytes())
}

// fail reports an error of this value.
func (v value) fail(code, format string, args ...any) {
	v.failAt(v.node().start, code, format, args...)
}

func (v value) failAt(offset int32, code, format string, args ...any) {
	if v.doc.problems.full(Error) {
		return
	}
	v.doc.problems.add(Problem{Position: v.doc.position(offset), Field: v.path(), Message: fmt.Sprintf(format, args...), Code: code})
}

// path names the value, like services[0].layers[2].srid.
func (v value) path() string {
	switch {
	case v.parent == nil:
		return ""
	case v.index >= 0:
		return v.parent.path() + "[" + strconv.Itoa(int(v.index)) + "]"
	default:
		return join(v.parent.path(), string(v.doc.text(v.doc.nodes[v.key])))
	}
}
