package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/duration"
)

// kind is how values of one type are written. parse gets the text of a JSON
// string or number, or of an environment variable.
type kind[T any] struct {
	name    string // for the reference, such as "whole number"
	example string // what a right value looks like, for the remedy
	parse   func(string) (T, error)
	quiet   bool // values are secret and must not be repeated in messages
}

// parseError says what is wrong with a value.
type parseError string

func (e parseError) Error() string { return string(e) }

func plain() kind[string] {
	return kind[string]{name: "text", example: `"…"`, parse: func(s string) (string, error) { return s, nil }}
}

func secret() kind[Secret] {
	return kind[Secret]{name: "secret text", example: `"…"`, quiet: true, parse: func(s string) (Secret, error) { return Secret(s), nil }}
}

func flag() kind[bool] {
	return kind[bool]{name: "true or false", example: "true", parse: func(s string) (bool, error) {
		switch strings.ToLower(s) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return false, parseError("is neither true nor false")
	}}
}

const wholeNumber = "whole number"

// whole is a whole number from low to high, both included.
func whole(low, high int64) kind[int64] {
	return kind[int64]{
		name: wholeNumber, example: strconv.FormatInt(low, 10),
		parse: func(s string) (int64, error) {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return 0, parseError("is not a whole number")
			}
			if n < low || n > high {
				return 0, parseError(fmt.Sprintf("must be from %d to %d", low, high))
			}
			return n, nil
		},
	}
}

// count is a whole number from 1 to high, for fields of type int.
func count(high int) kind[int] {
	inner := whole(1, int64(high))
	return kind[int]{name: inner.name, example: inner.example, parse: func(s string) (int, error) {
		n, err := inner.parse(s)
		return int(n), err
	}}
}

// span is a duration of a second or more.
func span() kind[time.Duration] {
	return kind[time.Duration]{
		name: "duration", example: `"01:30:00" (hours, minutes, seconds), "1.00:00:00" (with days) or "90s"`,
		parse: func(s string) (time.Duration, error) {
			d, err := duration.Parse(s)
			if err != nil {
				return 0, parseError("is not a duration")
			}
			if d < time.Second {
				return 0, parseError("must be a second or more")
			}
			return d, nil
		},
	}
}

// oneOf is one of the words, regardless of case; the result is spelled as in words.
func oneOf(words ...string) kind[string] {
	list := strings.Join(words, ", ")
	return kind[string]{
		name: "one of " + list, example: strconv.Quote(words[0]),
		parse: func(s string) (string, error) {
			for _, word := range words {
				if strings.EqualFold(word, s) {
					return word, nil
				}
			}
			return "", parseError("is none of " + list)
		},
	}
}
