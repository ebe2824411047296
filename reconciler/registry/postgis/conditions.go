package postgis

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// conditions are what a row must meet, joined by AND.
type conditions struct {
	all  []func(*statement)
	none bool // nothing can meet them, whatever the table holds
	// fresh: how to read best depends on the values, so that no plan is kept.
	fresh bool
}

func (c *conditions) add(condition func(*statement)) { c.all = append(c.all, condition) }

func (c *conditions) where(s *statement) {
	for i, condition := range c.all {
		if i == 0 {
			s.add(" WHERE ")
		} else {
			s.add(" AND ")
		}
		condition(s)
	}
}

// filter adds that a property equals a value. A value that the column cannot have meets nothing.
func (c *conditions) filter(p *plan, f registry.Filter) {
	column := p.column(f.Property)
	if column == nil {
		c.none = true
		return
	}
	c.equals(p, column, f.Value)
}

func (c *conditions) equals(p *plan, column *column, value any) {
	left, cast, bound, ok := comparison(column, value)
	if !ok {
		c.none = true
		return
	}
	c.add(func(s *statement) {
		s.add(p.quoted(column), left, " = ")
		s.bind(bound, cast)
	})
}

// comparison says how a column is compared with a value: what follows the column's name, what follows the bound
// value, and the value. The types agree, so that an index on the column can be used.
func comparison(column *column, value any) (left, cast string, bound any, ok bool) {
	switch v := value.(type) {
	case string:
		return textComparison(column, v)
	case int64:
		switch {
		case column.is("int2", "int4", "int8"):
			return "", "::int8", v, true
		case column.is("float4", "float8"):
			return numberComparison(column, float64(v))
		case column.is("numeric"):
			return "", "::text::numeric", strconv.FormatInt(v, 10), true
		}
	case float64:
		return numberComparison(column, v)
	case bool:
		return "", "::bool", v, column.is("bool")
	case time.Time:
		switch {
		case column.is("timestamptz"):
			return "", "::timestamptz", v, isStorable(v)
		case column.is("timestamp"):
			return "", "::timestamp", v.UTC(), isStorable(v)
		case column.is("date"):
			return "", "::date", v.UTC(), true
		}
	}
	return "", "", nil, false
}

func numberComparison(column *column, v float64) (left, cast string, bound any, ok bool) {
	switch {
	case column.is("float4"):
		return "", "::float8::float4", v, v >= -3e38 && v <= 3e38
	case column.is("float8"):
		return "", "::float8", v, true
	case column.is("int2", "int4", "int8", "numeric"):
		return "", "::text::numeric", strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", "", nil, false
}

func textComparison(column *column, v string) (left, cast string, bound any, ok bool) {
	if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
		return "", "", nil, false // PostgreSQL has no such text
	}
	switch {
	case column.is("text", "varchar", "name"):
		return "", "::text", v, true
	case column.is("bpchar"):
		return "", "::bpchar", v, true
	case column.is("uuid"):
		return "", "::text::uuid", v, isUUID(v)
	case column.is("date"):
		day, err := time.Parse(time.DateOnly, v)
		return "", "::date", day, err == nil
	}
	return asText, "::text", v, !column.is("bool") && !column.isNumber()
}

func isUUID(text string) bool {
	matched, err := regexp.MatchString(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`, text)
	return err == nil && matched
}

// during adds that a time meets an interval. A row without a time meets every one (/req/core/fc-time-response C), and
// a date is a whole day, in UTC.
func (c *conditions) during(p *plan, interval registry.Time) {
	column := p.column(interval.Property)
	if column == nil || !column.isTime() {
		c.none = true
		return
	}
	cast := "::" + column.typeName
	c.add(func(s *statement) {
		s.add("(", p.quoted(column), " IS NULL OR (true")
		if !interval.From.IsZero() {
			s.add(" AND ", p.quoted(column), " >= ")
			s.bind(column.notBefore(interval.From.UTC()), cast)
		}
		if !interval.To.IsZero() {
			s.add(" AND ", p.quoted(column), " <= ")
			s.bind(interval.To.UTC(), cast)
		}
		s.add("))")
	})
}

// isStorable reports whether the database has such a time: it counts in microseconds.
func isStorable(v time.Time) bool { return v.Equal(v.Truncate(time.Microsecond)) }

// notBefore is the first time from v on that the column can hold. A date stands for its whole day.
func (c *column) notBefore(v time.Time) time.Time {
	if c.is("date") || isStorable(v) {
		return v
	}
	return v.Truncate(time.Microsecond).Add(time.Microsecond)
}

// id adds that a feature's id is the text that stands in its path.
func (c *conditions) id(p *plan, id string) {
	if !p.id.is("int2", "int4", "int8") {
		if p.id.is("text", "varchar", "name", "uuid") {
			c.equals(p, p.id, id)
			return
		}
		c.none = strings.ContainsRune(id, 0) || !utf8.ValidString(id)
		c.add(func(s *statement) {
			s.add(p.quoted(p.id), asText, " = ")
			s.bind(id, "::text")
		})
		return
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != id { // only the spelling that is given out
		c.none = true
		return
	}
	c.equals(p, p.id, number)
}
