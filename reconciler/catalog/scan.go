package catalog

import (
	"fmt"
	"unicode/utf8"
)

const (
	maxDepth  = 64        // levels of lists and objects in a file
	maxValues = 4_000_000 // values and keys in a file: 64 MB of nodes
	// smallObject is the number of members up to which comparing every pair of keys beats a map.
	smallObject = 24
)

// syntaxError is the first place at which a text is not strict JSON.
type syntaxError struct {
	offset  int
	message string
}

// scanner turns bytes into a tape of nodes.
type scanner struct {
	content    []byte
	pos        int
	depth      int
	nodes      []node
	duplicates []int32
}

// scan reads content, which must be valid UTF-8, as one strict JSON value.
func scan(content []byte) (*scanner, *syntaxError) {
	s := &scanner{content: content, nodes: make([]node, 0, estimate(content))}
	s.space()
	if s.pos == len(content) {
		return nil, s.fail(0, "the file is empty")
	}
	if err := s.value(); err != nil {
		return nil, err
	}
	s.space()
	if s.pos < len(content) {
		return nil, s.unexpected("nothing after the end of the value")
	}
	return s, nil
}

// estimate is the number of nodes in content, if its strings hold no punctuation; bounded, as they may.
func estimate(content []byte) int {
	count := 1
	for _, c := range content {
		switch c {
		case ',', ':', '{', '[':
			count++
		}
	}
	return min(count, len(content)/6+16)
}

func (s *scanner) value() *syntaxError {
	if s.pos == len(s.content) {
		return s.fail(s.pos, "the file ends where a value should be")
	}
	if len(s.nodes) >= maxValues {
		return s.fail(s.pos, fmt.Sprintf("more than %d values in one file", maxValues))
	}
	switch c := s.content[s.pos]; {
	case c == '{':
		return s.container(kindObject, '}', s.member)
	case c == '[':
		return s.container(kindArray, ']', s.value)
	case c == '"':
		return s.string()
	case c == '-' || isDigit(c):
		return s.number()
	case s.word("true"), s.word("false"):
		return s.leaf(kindBoolean, s.wordEnd())
	case s.word("null"):
		return s.leaf(kindNull, s.wordEnd())
	default:
		return s.unexpected("a value")
	}
}

// container reads what stands between the opening character at pos and its closing one, item by item.
func (s *scanner) container(k kind, closing byte, item func() *syntaxError) *syntaxError {
	if s.depth++; s.depth > maxDepth {
		return s.fail(s.pos, fmt.Sprintf("nested deeper than %d levels", maxDepth))
	}
	self := s.push(k, s.pos, s.pos)
	s.pos++
	s.space()
	for first := true; ; first = false {
		if first && s.at(closing) {
			break
		}
		if err := item(); err != nil {
			return err
		}
		s.space()
		if s.at(closing) {
			break
		}
		if err := s.comma(k, closing); err != nil {
			return err
		}
	}
	s.pos++
	s.depth--
	s.nodes[self].end, s.nodes[self].next = int32(s.pos), int32(len(s.nodes))
	if k == kindObject {
		s.findDuplicates(self)
	}
	return nil
}

// comma reads the comma between two items; a closing character must not follow it.
func (s *scanner) comma(k kind, closing byte) *syntaxError {
	if !s.at(',') {
		if s.pos == len(s.content) {
			return s.fail(s.pos, fmt.Sprintf("the file ends inside %s: %q is missing", k, closing))
		}
		return s.unexpected(fmt.Sprintf("',' or %q after a value", closing))
	}
	comma := s.pos
	s.pos++
	s.space()
	if s.at(closing) {
		return s.fail(comma, fmt.Sprintf("a trailing comma before %q is not allowed", closing))
	}
	return nil
}

func (s *scanner) member() *syntaxError {
	if !s.at('"') {
		if s.pos == len(s.content) {
			return s.fail(s.pos, "the file ends inside an object")
		}
		return s.unexpected("a property name in double quotes")
	}
	if err := s.string(); err != nil {
		return err
	}
	s.space()
	if !s.at(':') {
		return s.unexpected("':' after a property name")
	}
	s.pos++
	s.space()
	return s.value()
}

func (s *scanner) push(k kind, start, end int) int32 {
	self := int32(len(s.nodes))
	s.nodes = append(s.nodes, node{start: int32(start), end: int32(end), next: self + 1, kind: k})
	return self
}

func (s *scanner) leaf(k kind, end int) *syntaxError {
	s.push(k, s.pos, end)
	s.pos = end
	return nil
}

func (s *scanner) space() {
	for s.pos < len(s.content) {
		switch s.content[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.content) && s.content[s.pos] == c }

// word reports whether the letters at pos are exactly w.
func (s *scanner) word(w string) bool { return string(s.content[s.pos:s.wordEnd()]) == w }

func (s *scanner) wordEnd() int {
	end := s.pos
	for end < len(s.content) && (isLetter(s.content[end]) || isDigit(s.content[end])) {
		end++
	}
	return end
}

func (s *scanner) fail(offset int, message string) *syntaxError {
	return &syntaxError{offset: offset, message: message}
}

// unexpected says what stands at pos instead of what was wanted.
func (s *scanner) unexpected(wanted string) *syntaxError {
	if s.pos == len(s.content) {
		return s.fail(s.pos, "expected "+wanted+", but the file ends")
	}
	found, _ := utf8.DecodeRune(s.content[s.pos:])
	hint := ""
	switch found {
	case '/', '#':
		hint = "; comments are not allowed"
	case '\'':
		hint = "; strings need double quotes"
	}
	return s.fail(s.pos, fmt.Sprintf("expected %s, found %q%s", wanted, found, hint))
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
