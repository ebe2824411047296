package ogc

import (
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// parseInterval reads the parameter datetime: an instant, or two of which at most one is open (".." or empty). A date
// stands for its whole day, in UTC.
func parseInterval(text string) (registry.Time, error) {
	malformed := badParameter("datetime",
		"a date or date-time of RFC 3339, or an interval start/end of which one side may be open (..)")
	before, after, isInterval := strings.Cut(text, "/")
	if !isInterval {
		from, to, ok := parseInstant(text)
		if !ok {
			return registry.Time{}, malformed
		}
		return registry.Time{From: from, To: to}, nil
	}
	var interval registry.Time
	var startOK, endOK bool
	startOpen, endOpen := isOpen(before), isOpen(after)
	if !startOpen {
		interval.From, _, startOK = parseInstant(before)
	}
	if !endOpen {
		_, interval.To, endOK = parseInstant(after)
	}
	if startOpen && endOpen || !startOpen && !startOK || !endOpen && !endOK {
		return registry.Time{}, malformed
	}
	if startOK && endOK && interval.From.After(interval.To) {
		return registry.Time{}, badParameter("datetime", "an interval that does not end before it starts")
	}
	return interval, nil
}

func isOpen(text string) bool { return text == "" || text == ".." }

// parseInstant returns the first and last instant of a date or date-time. RFC 3339 allows lower case too, and second 60
// where a leap second is: it is taken for the one after it, as clocks do that have none.
func parseInstant(text string) (from, to time.Time, ok bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, day.Add(24*time.Hour - time.Nanosecond), true
	}
	text = strings.ToUpper(text)
	leap := time.Duration(0)
	if before, after, found := strings.Cut(text, ":59:60"); found {
		text, leap = before+":59:59"+after, time.Second
	}
	at, err := time.Parse(time.RFC3339, text)
	at = at.Add(leap)
	return at, at, err == nil
}

// temporalProperty is the property that datetime selects by: the first date-time of the layer, else its first date.
func temporalProperty(layer *catalog.Layer) string {
	for _, wanted := range []string{"datetime", "date"} {
		for _, p := range layer.Properties {
			if p.Type == wanted {
				return p.Name
			}
		}
	}
	return ""
}
