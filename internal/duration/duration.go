// Package duration reads and writes the spans of time of configuration files: .NET's "HH:MM:SS" and "D.HH:MM:SS",
// and Go's "1h30m".
package duration

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid is wrapped by every error of Parse.
var ErrInvalid = errors.New("invalid duration")

// Parse reads "HH:MM:SS", "D.HH:MM:SS" (both with an optional fraction of a second) or a Go duration.
// "24:00:00" is 24 hours: without days, hours have no upper bound; with days they end at 23. Minutes and seconds
// end at 59. Negative values, surrounding space and what overflows a time.Duration (about 292 years) are refused
// with an error that wraps ErrInvalid and quotes the text.
func Parse(s string) (time.Duration, error) {
	if !strings.Contains(s, ":") {
		return parseGo(s)
	}
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, invalid(s, `must be "HH:MM:SS", "D.HH:MM:SS" or a Go duration such as "90s"`)
	}
	days, hours, withDays := strings.Cut(parts[0], ".")
	if !withDays {
		days, hours = "0", parts[0]
	}
	seconds, fraction, withFraction := strings.Cut(parts[2], ".")
	total := span{text: s}
	total.add(days, math.MaxInt64, 24*time.Hour, "days")
	total.add(hours, hourLimit(withDays), time.Hour, "hours")
	total.add(parts[1], 59, time.Minute, "minutes")
	total.add(seconds, 59, time.Second, "seconds")
	if withFraction {
		total.addFraction(fraction)
	}
	if total.err != nil {
		return 0, total.err
	}
	return total.sum, nil
}

// Format writes d as "HH:MM:SS", with as many hours as it takes and a fraction only where there is one, so that
// Parse(Format(d)) is d. A negative d is written with a leading "-", which Parse refuses.
func Format(d time.Duration) string {
	sign, n := "", uint64(d)
	if d < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%s%02d:%02d:%02d", sign, n/uint64(time.Hour), n/uint64(time.Minute)%60, n/uint64(time.Second)%60)
	if rest := n % uint64(time.Second); rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%09d", rest), "0")
	}
	return text
}

func parseGo(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, invalid(s, `must be "HH:MM:SS", "D.HH:MM:SS" or a Go duration such as "90s"`)
	}
	if d < 0 {
		return 0, invalid(s, "must not be negative")
	}
	return d, nil
}

func hourLimit(withDays bool) int64 {
	if withDays {
		return 23
	}
	return math.MaxInt64
}

// span adds up the parts of one text; the first error stays.
type span struct {
	text string
	sum  time.Duration
	err  error
}

func (t *span) add(digits string, limit int64, unit time.Duration, name string) {
	if t.err != nil {
		return
	}
	if !onlyDigits(digits) {
		t.err = invalid(t.text, name+" must be digits")
		return
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil || n > (math.MaxInt64-int64(t.sum))/int64(unit):
		t.err = invalid(t.text, "is too long")
	case n > limit:
		t.err = invalid(t.text, fmt.Sprintf("%s end at %d", name, limit))
	default:
		t.sum += time.Duration(n) * unit
	}
}

func (t *span) addFraction(digits string) {
	if t.err == nil && len(digits) > 9 {
		t.err = invalid(t.text, "a fraction has at most 9 digits")
	}
	if t.err == nil {
		t.add(digits, math.MaxInt64, time.Duration(math.Pow10(9-len(digits))), "a fraction")
	}
}

func onlyDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

func invalid(text, why string) error {
	return fmt.Errorf("%w %q: %s", ErrInvalid, text, why)
}
