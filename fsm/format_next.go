//go:build honua_next_format

package fsm

import "fmt"

// ahead makes this build, which is for tests of upgrades only, know a format
// that does not exist.
const ahead = 1

// trial is the feature that the format brings: the audit of a pause tells of
// it, once every node would write the same.
func (c *change) trial() string {
	if c.meta.Format < FormatVersion {
		return ""
	}
	return fmt.Sprintf("recorded in format %d", c.meta.Format)
}
