package catalog

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnknownRisk is wrapped by the errors of texts that are no risk level.
var ErrUnknownRisk = errors.New("unknown risk level")

// Risk is how much a change can hurt. Levels are ordered; the zero value is no level.
type Risk int

// The levels of risk. What each kind of change amounts to is the table of Rules.
const (
	RiskLow Risk = iota + 1
	RiskMedium
	RiskHigh
	RiskCritical
)

// RiskLevels are the names of the levels, the lowest first.
func RiskLevels() []string { return []string{"Low", "Medium", "High", "Critical"} }

// ParseRisk reads the name of a level, in any case.
func ParseRisk(text string) (Risk, error) {
	for i, name := range RiskLevels() {
		if strings.EqualFold(text, name) {
			return Risk(i + 1), nil
		}
	}
	return 0, fmt.Errorf("%w %s (known: %s)", ErrUnknownRisk, shorten(text), strings.Join(RiskLevels(), ", "))
}

// String is the name of the level.
func (r Risk) String() string {
	if r < RiskLow || r > RiskCritical {
		return fmt.Sprintf("Risk(%d)", int(r))
	}
	return RiskLevels()[r-1]
}

// MarshalText writes the name of the level; the zero value has none.
func (r Risk) MarshalText() ([]byte, error) {
	if r < RiskLow || r > RiskCritical {
		return nil, fmt.Errorf("%w %d", ErrUnknownRisk, int(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads the name of a level.
func (r *Risk) UnmarshalText(text []byte) error {
	level, err := ParseRisk(string(text))
	*r = level
	return err
}
