package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // a container may have no time zones of its own
)

// ErrWindow is wrapped by what makes a window unusable.
var ErrWindow = errors.New("invalid deployment window")

const minutesPerDay = 24 * 60

// maxBlackout bounds one blackout, so that none can close a window for ever by a mistyped year.
const maxBlackout = 366 * 24 * time.Hour

// maxBlackouts bounds what NextOpen has to look at.
const maxBlackouts = 200

// Window is when deployments may begin: on allowed days, between allowed hours of its time zone, outside blackouts.
// The zero value is always open.
//
// Hours are those of the wall clock. A window from 22:00 to 06:00 belongs to the day on which it begins. Hours that
// a change to summer time skips are not there; those that a change back repeats are open both times.
type Window struct {
	Days       []time.Weekday // Monday first; none: every day
	Start, End int            // minutes since midnight, Start in [0,1440), End in (0,1440]; both 0: all day
	TimeZone   string         // IANA name; empty: UTC
	Blackouts  []Blackout     // by From
	location   *time.Location
}

// Blackout is a time in which nothing may begin, whatever the days and hours.
type Blackout struct {
	From, To time.Time // From included, To excluded
	Reason   string
}

func (b Blackout) covers(at time.Time) bool { return !at.Before(b.From) && at.Before(b.To) }

// Open reports whether a deployment may begin at the time.
func (w Window) Open(at time.Time) bool {
	for _, blackout := range w.Blackouts {
		if blackout.covers(at) {
			return false
		}
	}
	local := at.In(w.zone())
	minute := local.Hour()*60 + local.Minute()
	switch {
	case w.allDay():
		return w.allows(local.Weekday())
	case w.Start < w.End:
		return w.allows(local.Weekday()) && w.Start <= minute && minute < w.End
	default:
		return (minute >= w.Start && w.allows(local.Weekday())) || (minute < w.End && w.allows((local.Weekday()+6)%7))
	}
}

// NextOpen is the first time, in UTC, at or after the given one at which the window is open; false if there is none.
func (w Window) NextOpen(at time.Time) (time.Time, bool) {
	// A week of days always holds an opening, unless a clock change swallows it or a blackout covers it: each blackout
	// and each clock change costs at most another two weeks of steps.
	for range 64 * (len(w.Blackouts) + 4) {
		if w.Open(at) {
			return at.UTC(), true
		}
		at = w.candidate(at)
	}
	return time.Time{}, false
}

// candidate is the next time after at when the window can turn from closed to open: the end of a blackout, the
// beginning of a day or of its hours, a change of the clock.
func (w Window) candidate(at time.Time) time.Time {
	for _, blackout := range w.Blackouts {
		if blackout.covers(at) {
			return blackout.To
		}
	}
	local := at.In(w.zone())
	next := local.Add(25 * time.Hour)
	sooner := func(t time.Time) {
		if t.After(at) && t.Before(next) {
			next = t
		}
	}
	if _, change := local.ZoneBounds(); !change.IsZero() {
		sooner(change)
	}
	for day := 0; day <= 2; day++ {
		for _, minute := range []int{0, w.Start} {
			for _, t := range w.instants(local, day, minute) {
				sooner(t)
			}
		}
	}
	return next
}

// instants are the times, none to two, at which the clock shows the minute on the day that is so many days after local.
func (w Window) instants(local time.Time, day, minute int) []time.Time {
	wall := time.Date(local.Year(), local.Month(), local.Day()+day, minute/60, minute%60, 0, 0, time.UTC)
	var found []time.Time
	for _, around := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(around).In(w.zone()).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second).In(w.zone())
		if t.Hour()*60+t.Minute() == minute && !slices.ContainsFunc(found, t.Equal) {
			found = append(found, t)
		}
	}
	return found
}

func (w Window) allDay() bool { return w.Start == 0 && (w.End == 0 || w.End == minutesPerDay) }

func (w Window) allows(day time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, day)
}

func (w Window) zone() *time.Location {
	if w.location == nil {
		return time.UTC
	}
	return w.location
}

// resolved is the window with its zone loaded, days and blackouts in order; an error if it cannot be used.
func (w Window) resolved() (Window, error) {
	location, err := loadZone(w.TimeZone)
	if err != nil {
		return Window{}, err
	}
	w.location = location
	w.Days = slices.Clone(w.Days)
	slices.SortFunc(w.Days, func(a, b time.Weekday) int { return int(a+6)%7 - int(b+6)%7 })
	w.Days = slices.Compact(w.Days)
	w.Blackouts = slices.Clone(w.Blackouts)
	slices.SortStableFunc(w.Blackouts, func(a, b Blackout) int { return a.From.Compare(b.From) })
	return w, w.check()
}

func (w Window) check() error {
	if w.Start < 0 || w.Start >= minutesPerDay || w.End < 0 || w.End > minutesPerDay {
		return fmt.Errorf("%w: hours must be within a day", ErrWindow)
	}
	if w.Start == w.End && w.Start != 0 {
		return fmt.Errorf("%w: it never opens, because it ends when it begins", ErrWindow)
	}
	if len(w.Blackouts) > maxBlackouts {
		return fmt.Errorf("%w: at most %d blackouts are kept", ErrWindow, maxBlackouts)
	}
	latest := time.Unix(0, 0)
	for _, b := range w.Blackouts {
		switch {
		case !b.From.Before(b.To):
			return fmt.Errorf("%w: a blackout must end after it begins", ErrWindow)
		case b.To.Sub(b.From) > maxBlackout:
			return fmt.Errorf("%w: a blackout lasts at most 366 days", ErrWindow)
		case b.To.After(latest):
			latest = b.To
		}
	}
	if _, opens := w.NextOpen(latest); !opens {
		return fmt.Errorf("%w: it never opens", ErrWindow)
	}
	return nil
}

// loadZone is the zone of an IANA name. "Local" would be another zone on every node.
func loadZone(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("%w: unknown time zone %q (write an IANA name like Europe/Berlin)", ErrWindow, name)
	}
	return location, nil
}
