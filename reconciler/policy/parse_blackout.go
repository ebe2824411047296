package policy

import (
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// readBlackouts reads times in which nothing may begin. A time without an offset is one of the window's zone; a day
// alone is its beginning in "from" and its end in "to".
func readBlackouts(f field, zone *time.Location) []Blackout {
	list := []Blackout{}
	for _, element := range f.list() {
		if blackout, ok := readBlackout(element, zone); ok {
			list = append(list, blackout)
		}
	}
	return list
}

func readBlackout(f field, zone *time.Location) (Blackout, bool) {
	var from, to *time.Time
	var why *string
	f.mapping(map[string]func(field){
		"from":   into(&from, func(f field) (time.Time, bool) { return instant(f, zone, 0) }),
		"to":     into(&to, func(f field) (time.Time, bool) { return instant(f, zone, 1) }),
		"reason": into(&why, reason),
	}, "from", "to", "reason")
	if from == nil || to == nil || why == nil {
		return Blackout{}, false
	}
	switch {
	case !from.Before(*to):
		f.fail(catalog.CodeInvalid, "must end after it begins")
	case to.Sub(*from) > maxBlackout:
		f.fail(catalog.CodeOutOfRange, "lasts at most 366 days")
	default:
		return Blackout{From: *from, To: *to, Reason: *why}, true
	}
	return Blackout{}, false
}

// instant reads RFC 3339, the same without offset, or a day, which stands for the midnight so many days after its
// beginning.
func instant(f field, zone *time.Location, daysAfter int) (time.Time, bool) {
	text, ok := f.text()
	if !ok {
		return time.Time{}, false
	}
	if day, err := time.ParseInLocation("2006-01-02", text, zone); err == nil {
		return day.AddDate(0, 0, daysAfter).UTC(), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil && t.UTC().Year() >= 1970 && t.UTC().Year() < 9999 {
			return t.UTC(), true
		}
	}
	f.fail(catalog.CodeInvalid, `must be a time like "2026-12-24T18:00:00+01:00", "2026-12-24T18:00" or "2026-12-24", from 1970 on`)
	return time.Time{}, false
}
