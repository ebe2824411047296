package policy

import (
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// environment reads the entry of one environment and checks what it makes of the defaults.
func (r *reader) environment(name string, f field) Override {
	before := len(r.problems)
	var o Override
	var blackouts field
	f.mapping(map[string]func(field){
		"requiresApproval":            into(&o.RequiresApproval, field.boolean),
		"minimumApprovers":            into(&o.MinimumApprovers, approvers),
		"forbidAuthorApproval":        into(&o.ForbidAuthorApproval, field.boolean),
		"approvalTimeout":             into(&o.ApprovalTimeout, approvalTimeout),
		"allowedDays":                 func(f field) { o.AllowedDays = days(f) },
		"allowedHours":                into(&o.AllowedHours, hours),
		"timeZone":                    into(&o.TimeZone, timeZone),
		"autoRollback":                into(&o.AutoRollback, field.boolean),
		"rollbackRequiresApproval":    into(&o.RollbackRequiresApproval, field.boolean),
		"afterRollback":               into(&o.AfterRollback, func(f field) (string, bool) { return f.word(Approve, Auto) }),
		"forcePush":                   into(&o.ForcePush, func(f field) (string, bool) { return f.word(Approve, Allow) }),
		"minimumRiskLevelForApproval": into(&o.MinimumRiskLevelForApproval, riskLevel),
		"healthCheckTimeout":          into(&o.HealthCheckTimeout, stepTimeout),
		"stagingTimeout":              into(&o.StagingTimeout, stepTimeout),
		"blackouts":                   func(f field) { blackouts = f },
	})
	if blackouts.node != nil {
		o.Blackouts = readBlackouts(blackouts, o.zone())
	}
	if len(r.problems) == before {
		if _, err := o.over(Default(name)); err != nil {
			f.fail(catalog.CodeInvalid, "%v", err)
		}
	}
	return o
}

// into makes a reader of one value into the place where it belongs.
func into[T any](target **T, read func(field) (T, bool)) func(field) {
	return func(f field) {
		if value, ok := read(f); ok {
			*target = &value
		}
	}
}

// zone is where local times of the entry are meant.
func (o Override) zone() *time.Location {
	if o.TimeZone == nil {
		return time.UTC
	}
	location, err := loadZone(*o.TimeZone)
	if err != nil {
		return time.UTC
	}
	return location
}

func approvers(f field) (int, bool) { return f.integer(1, maxApprovers) }

func approvalTimeout(f field) (time.Duration, bool) { return f.span(maxApprovalTimeout, "365 days") }

func stepTimeout(f field) (time.Duration, bool) { return f.span(maxStepTimeout, "24 hours") }

func riskLevel(f field) (catalog.Risk, bool) {
	word, ok := f.word(catalog.RiskLevels()...)
	if !ok {
		return 0, false
	}
	risk, err := catalog.ParseRisk(word)
	return risk, err == nil
}

func timeZone(f field) (string, bool) {
	name, ok := f.text()
	if !ok {
		return "", false
	}
	if _, err := loadZone(name); err != nil {
		f.fail(catalog.CodeInvalid, "%v", err)
		return "", false
	}
	return name, true
}

// days reads names of days, in full or as their first three letters.
func days(f field) []time.Weekday {
	list := []time.Weekday{}
	for _, element := range f.list() {
		text, ok := element.text()
		if !ok {
			continue
		}
		day, found := weekday(text)
		if !found {
			element.fail(catalog.CodeUnknownValue, "must be a day, like Monday or Mon")
			continue
		}
		list = append(list, day)
	}
	if f.node.Kind == yaml.SequenceNode && len(f.node.Content) == 0 {
		f.fail(catalog.CodeInvalid, "the window never opens without a day; leave the key out for every day")
	}
	return list
}

func weekday(text string) (time.Weekday, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(text, day.String()) || strings.EqualFold(text, day.String()[:3]) {
			return day, true
		}
	}
	return 0, false
}

func hours(f field) (Hours, bool) {
	var start, end *int
	f.mapping(map[string]func(field){
		"start": into(&start, func(f field) (int, bool) { return minuteOfDay(f, minutesPerDay-1) }),
		"end":   into(&end, func(f field) (int, bool) { return minuteOfDay(f, minutesPerDay) }),
	}, "start", "end")
	if start == nil || end == nil {
		return Hours{}, false
	}
	if *start == *end {
		f.fail(catalog.CodeInvalid, "the window never opens, because it ends when it begins (all day is 00:00 to 24:00)")
		return Hours{}, false
	}
	return Hours{Start: *start, End: *end}, true
}

// minuteOfDay reads HH:MM or HH:MM:00.
func minuteOfDay(f field, most int) (int, bool) {
	text, ok := f.text()
	if !ok {
		return 0, false
	}
	if strings.Count(text, ":") == 2 {
		text = strings.TrimSuffix(text, ":00")
	}
	minute := minutesPerDay
	if text != "24:00" {
		clock, err := time.Parse("15:04", text)
		if err != nil {
			f.fail(catalog.CodeInvalid, `must be a time of the day, like "09:00"`)
			return 0, false
		}
		minute = clock.Hour()*60 + clock.Minute()
	}
	if minute > most {
		f.fail(catalog.CodeOutOfRange, "must be before 24:00")
		return 0, false
	}
	return minute, true
}

// reason reads a short text for people.
func reason(f field) (string, bool) {
	text, ok := f.text()
	if !ok {
		return "", false
	}
	printable := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
	if strings.TrimSpace(text) == "" || len(text) > 200 || !printable {
		f.fail(catalog.CodeInvalid, "must say why, in one line of up to 200 bytes")
		return "", false
	}
	return text, true
}
