package geojson

import (
	"bytes"
	"encoding/json"
	"iter"
)

// The functions of this file walk JSON that is known to be valid and compact (json.Compact made it), and therefore
// check nothing. What they return are slices of their argument.

// skipValue returns the index after the value that begins at i.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipNested(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
}

// members yields the keys, decoded, and values of an object; nothing of another value.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		if len(object) == 0 || object[0] != '{' || object[1] == '}' {
			return
		}
		for i := 1; i < len(object); i++ {
			keyEnd := skipString(object, i)
			valueEnd := skipValue(object, keyEnd+1)
			if !yield(stringBytes(object[i:keyEnd]), object[keyEnd+1:valueEnd]) {
				return
			}
			i = valueEnd
		}
	}
}

// elements yields the values of an array; nothing of another value.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(array) == 0 || array[0] != '[' || array[1] == ']' {
			return
		}
		for i := 1; i < len(array); i++ {
			end := skipValue(array, i)
			if !yield(array[i:end]) {
				return
			}
			i = end
		}
	}
}

// stringBytes is the content of a JSON string, without copying it where nothing is escaped.
func stringBytes(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return inner // not reached with valid JSON
	}
	return []byte(text)
}

// isString reports whether a value is a string.
func isString(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// isNumber reports whether a value is a number.
func isNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9')
}

// isNull reports whether a value is null or missing.
func isNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }
