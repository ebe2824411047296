package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func window(t testing.TB, text string) Window {
	t.Helper()
	override, problems := ParseEnvironment("x", "staging", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return resolve(t, "staging", &override).Window
}

func TestWindow(t *testing.T) {
	office := "{allowedDays: [Mon, Tue, Wed, Thu, Fri], allowedHours: {start: 09:00, end: 17:00}, timeZone: Europe/Berlin}"
	night := "{allowedDays: [Fri], allowedHours: {start: 22:00, end: 06:00}, timeZone: America/New_York}"
	small := "{allowedHours: {start: 02:15, end: 02:45}, timeZone: Europe/Berlin}"
	late := "{allowedHours: {start: 02:30, end: 04:00}, timeZone: Europe/Berlin}"
	frozen := "{allowedHours: {start: 09:00, end: 17:00}, blackouts: [{from: 2026-11-23, to: 2026-11-24, reason: x}, " +
		"{from: 2026-11-25T08:00, to: 2026-11-25T10:30, reason: y}]}"
	cases := []struct {
		name, window, at string
		next             string // equal to at: open
	}{
		{"always", "{}", "2026-11-22T03:00:00Z", "2026-11-22T03:00:00Z"},
		{"open", office, "2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z"},
		{"the end is excluded", office, "2026-11-23T16:00:00Z", "2026-11-24T08:00:00Z"},
		{"the last second", office, "2026-11-23T15:59:59Z", "2026-11-23T15:59:59Z"},
		{"weekend", office, "2026-11-20T16:00:00Z", "2026-11-23T08:00:00Z"},
		{"summer time", office, "2026-07-19T12:00:00Z", "2026-07-20T07:00:00Z"},
		{"the night's first day", night, "2026-11-20T12:00:00Z", "2026-11-21T03:00:00Z"},
		{"the night's second day", night, "2026-11-21T10:59:00Z", "2026-11-21T10:59:00Z"},
		{"after the night", night, "2026-11-21T11:00:00Z", "2026-11-28T03:00:00Z"},
		{"Friday's morning belongs to Thursday", night, "2026-11-20T06:00:00Z", "2026-11-21T03:00:00Z"},
		{"hours that summer time skips", small, "2026-03-29T00:00:00Z", "2026-03-30T00:15:00Z"},
		{"hours cut by summer time", late, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		{"hours that come twice, first", small, "2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z"},
		{"hours that come twice, between", small, "2026-10-25T00:50:00Z", "2026-10-25T01:15:00Z"},
		{"hours that come twice, after", small, "2026-10-25T01:50:00Z", "2026-10-26T01:15:00Z"},
		{"blackout", frozen, "2026-11-23T12:00:00Z", "2026-11-25T10:30:00Z"},
		{"days only", "{allowedDays: [Sun]}", "2026-11-23T12:00:00Z", "2026-11-29T00:00:00Z"},
		{"midnight", "{allowedHours: {start: '23:00', end: '24:00'}}", "2026-11-23T12:00:00Z", "2026-11-23T23:00:00Z"},
		{"midnight as 00:00", "{allowedHours: {start: '23:00', end: '00:00'}}", "2026-11-24T00:00:00Z", "2026-11-24T23:00:00Z"},
	}
	for _, c := range cases {
		w := window(t, c.window)
		next, found := w.NextOpen(date(c.at))
		if !found || !next.Equal(date(c.next)) {
			t.Errorf("%s: next open %v, %v; want %s", c.name, next, found, c.next)
		}
		if w.Open(date(c.at)) != (c.at == c.next) {
			t.Errorf("%s: open is %v", c.name, !(c.at == c.next))
		}
	}
}

// NextOpen is what trying minute by minute finds, through changes of the clock of all kinds.
func TestNextOpenIsTheFirst(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Beirut"}
	starts := []string{
		"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2026-11-01T00:00:00Z", "2018-11-03T00:00:00Z", "2011-12-28T00:00:00Z", "2026-04-04T00:00:00Z",
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := Window{
			TimeZone: rapid.SampledFrom(zones).Draw(rt, "zone"),
			Start:    rapid.IntRange(0, minutesPerDay-1).Draw(rt, "start"), End: rapid.IntRange(0, minutesPerDay).Draw(rt, "end"),
		}
		for _, day := range rapid.SliceOfN(rapid.IntRange(0, 6), 0, 3).Draw(rt, "days") {
			w.Days = append(w.Days, time.Weekday(day))
		}
		at := date(rapid.SampledFrom(starts).Draw(rt, "from")).Add(time.Duration(rapid.IntRange(0, 4000).Draw(rt, "later")) * time.Minute)
		if length := rapid.IntRange(0, 3000).Draw(rt, "blackout"); length > 0 {
			w.Blackouts = []Blackout{{From: at.Add(time.Hour), To: at.Add(time.Hour + time.Duration(length)*time.Minute), Reason: "x"}}
		}
		w, err := w.resolved()
		if err != nil {
			return
		}
		next, found := w.NextOpen(at)
		if !found {
			rt.Fatal("never opens")
		}
		for try := at; try.Before(next); try = try.Add(time.Minute) {
			if w.Open(try) {
				rt.Fatalf("open at %v already, not first at %v", try, next)
			}
		}
		if !w.Open(next) {
			rt.Fatalf("closed at %v", next)
		}
	})
}

func TestZeroWindowIsOpen(t *testing.T) {
	if !(Window{}).Open(date("2026-01-01T00:00:00Z")) {
		t.Error("closed")
	}
}
