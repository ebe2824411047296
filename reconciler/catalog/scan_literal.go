package catalog

import (
	"strconv"
	"unicode/utf16"
)

// string reads the string whose opening quote stands at pos.
func (s *scanner) string() *syntaxError {
	escaped := false
	for i := s.pos + 1; i < len(s.content); i++ {
		switch c := s.content[i]; {
		case c == '"':
			self := s.push(kindString, s.pos, i+1)
			s.nodes[self].escaped = escaped
			s.pos = i + 1
			return nil
		case c == '\\':
			length, message := escape(s.content[i:])
			if message != "" {
				return s.fail(i, message)
			}
			escaped = true
			i += length - 1
		case c == '\n' || c == '\r':
			return s.fail(i, `a string must end on its line (write \n for a line break)`)
		case c < 0x20:
			return s.fail(i, "a string holds an unescaped control character")
		}
	}
	return s.fail(s.pos, "a string is not closed before the end of the file")
}

// escape returns the length of the escape sequence that b begins with, or what is wrong with it. Halves of surrogate
// pairs are refused: they would silently become another character.
func escape(b []byte) (int, string) {
	if len(b) < 2 {
		return 0, "the file ends inside an escape sequence"
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, ""
	case 'u':
	default:
		return 0, "an unknown escape sequence in a string"
	}
	high, ok := hexUnit(b)
	if !ok {
		return 0, `\u must be followed by four hexadecimal digits`
	}
	if !utf16.IsSurrogate(high) {
		return 6, ""
	}
	low, ok := hexUnit(b[6:])
	if !ok || utf16.DecodeRune(high, low) == '\uFFFD' {
		return 0, "half of a surrogate pair in a string"
	}
	return 12, ""
}

// hexUnit reads \uXXXX.
func hexUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(unit), err == nil
}

// number reads the number that begins at pos: an optional minus, digits without a leading zero, fraction, exponent.
func (s *scanner) number() *syntaxError {
	i := s.pos
	if s.content[i] == '-' {
		i++
	}
	whole := s.digits(i)
	if whole == i {
		return s.fail(s.pos, "a number has no digits")
	}
	if s.content[i] == '0' && whole > i+1 {
		return s.fail(s.pos, "a number must not begin with 0")
	}
	i = whole
	if i < len(s.content) && s.content[i] == '.' {
		fraction := s.digits(i + 1)
		if fraction == i+1 {
			return s.fail(s.pos, "a number needs digits after its decimal point")
		}
		i = fraction
	}
	if i < len(s.content) && s.content[i]|0x20 == 'e' {
		i++
		if i < len(s.content) && (s.content[i] == '+' || s.content[i] == '-') {
			i++
		}
		exponent := s.digits(i)
		if exponent == i {
			return s.fail(s.pos, "a number needs digits in its exponent")
		}
		i = exponent
	}
	return s.leaf(kindNumber, i)
}

// digits is the end of the run of digits at i.
func (s *scanner) digits(i int) int {
	for i < len(s.content) && isDigit(s.content[i]) {
		i++
	}
	return i
}
