package geopackage

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

func (c *column) is(names ...string) bool {
	for _, name := range names {
		if c.declared == name {
			return true
		}
	}
	return false
}

func (c *column) isInteger() bool {
	return c.is("INTEGER", "INT", "MEDIUMINT", "SMALLINT", "TINYINT", "BIGINT")
}

func (c *column) isNumber() bool {
	return c.isInteger() || c.is("DOUBLE", "FLOAT", "REAL", "NUMERIC", "DECIMAL")
}

func (c *column) isText() bool { return c.is("TEXT", "VARCHAR", "CHAR", "STRING") }

// holds reports whether a property of the declared type can show the column.
func (c *column) holds(declared string) bool {
	switch declared {
	case "string":
		return c.isText() || c.is("DATE", "DATETIME")
	case "integer":
		return c.isInteger()
	case "number":
		return c.isNumber()
	case "boolean":
		return c.is("BOOLEAN")
	case "date":
		return c.is("DATE")
	case "datetime":
		return c.is("DATE", "DATETIME")
	case "time", "uuid", "json":
		return c.isText()
	}
	return false
}

// natural is the property type that a column has where the layer declares none; empty for what is not shown.
func (c *column) natural() string {
	switch {
	case c.isInteger():
		return "integer"
	case c.isNumber():
		return "number"
	case c.is("BOOLEAN"):
		return "boolean"
	case c.is("DATE"):
		return "date"
	case c.is("DATETIME"):
		return "datetime"
	case c.isText():
		return "string"
	}
	return ""
}

// appendValue adds a value as JSON. SQLite keeps any value in any column; one that is not of the declared type is null.
func appendValue(out []byte, declared string, value any) []byte {
	switch v := value.(type) {
	case int64:
		switch declared {
		case "integer", "number", "":
			return strconv.AppendInt(out, v, 10)
		case "boolean":
			return strconv.AppendBool(out, v != 0)
		}
	case float64:
		return appendFloat(out, declared, v)
	case string:
		return appendText(out, declared, v)
	case []byte:
		if declared == "" || declared == "string" {
			return appendText(out, declared, string(v))
		}
	}
	return append(out, "null"...)
}

func appendFloat(out []byte, declared string, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(out, "null"...)
	}
	switch declared {
	case "number", "":
		if magnitude := math.Abs(v); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
			return strconv.AppendFloat(out, v, 'e', -1, 64)
		}
		return strconv.AppendFloat(out, v, 'f', -1, 64)
	}
	return append(out, "null"...)
}

func appendText(out []byte, declared, v string) []byte {
	switch declared {
	case "integer", "number", "boolean":
		return append(out, "null"...)
	case "json":
		if json.Valid([]byte(v)) {
			return append(out, v...)
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return append(out, "null"...) // not reached with a string
	}
	return append(out, text...)
}

// instants are the first and last instant of a DATE or DATETIME: a date is a whole day, in UTC.
func instants(text string) (from, to time.Time, ok bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, at, true
	}
	// Programs leave the Z and the T out.
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, strings.TrimSuffix(text, "Z")); err == nil {
			return at, at, true
		}
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, day.Add(24*time.Hour - time.Nanosecond), err == nil
}
