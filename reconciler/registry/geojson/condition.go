package geojson

import (
	"strconv"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// conditions joins what a query asks of a feature's properties.
func conditions(q registry.Query) func(object []byte) bool {
	return func(object []byte) bool {
		for _, filter := range q.Filters {
			if !equals(property(object, filter.Property), filter.Value) {
				return false
			}
		}
		return q.Time == nil || during(property(object, q.Time.Property), *q.Time)
	}
}

// equals compares a value of the file with one of a query. Null equals nothing.
func equals(value []byte, want any) bool {
	if isNull(value) {
		return false
	}
	switch want := want.(type) {
	case string:
		return isString(value) && string(stringBytes(value)) == want
	case bool:
		return string(value) == strconv.FormatBool(want)
	case int64:
		if got, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return got == want
		}
		got, err := strconv.ParseFloat(string(value), 64)
		return err == nil && got == float64(want)
	case float64:
		got, err := strconv.ParseFloat(string(value), 64)
		return isNumber(value) && err == nil && got == want
	case time.Time:
		from, to, ok := instants(value)
		return ok && !want.Before(from) && !want.After(to)
	}
	return false
}

// during reports whether a date or date-time meets an interval. What has none meets every interval
// (/req/core/fc-time-response C).
func during(value []byte, interval registry.Time) bool {
	if isNull(value) {
		return true
	}
	from, to, ok := instants(value)
	return ok && (interval.From.IsZero() || !to.Before(interval.From)) &&
		(interval.To.IsZero() || !from.After(interval.To))
}

// instants are the first and last instant of a value: a date is a whole day, in UTC.
func instants(value []byte) (from, to time.Time, ok bool) {
	if !isString(value) {
		return from, to, false
	}
	text := string(stringBytes(value))
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, at, true
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, day.Add(24*time.Hour - time.Nanosecond), err == nil
}
