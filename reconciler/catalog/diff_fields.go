package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// fieldChange is one difference: the field that shows it, the rule that judges it, and its wording if the rule's own
// does not do.
type fieldChange struct {
	field, rule, detail string
}

// fieldList collects the changed fields of one subject.
type fieldList []fieldChange

// check adds a field whose rule has the same name.
func (l *fieldList) check(field string, changed bool) {
	if changed {
		*l = append(*l, fieldChange{field: field, rule: field})
	}
}

// extras adds the unknown properties that differ, sorted by name.
func (l *fieldList) extras(old, next map[string]json.RawMessage) {
	for _, name := range changedNames(old, next) {
		*l = append(*l, fieldChange{field: name, rule: changeUnknown, detail: "unknown property " + shorten(name) + " changed"})
	}
}

// changedNames are the sorted names under which two maps differ.
func changedNames(old, next map[string]json.RawMessage) []string {
	if len(old) == 0 && len(next) == 0 {
		return nil
	}
	names := map[string]bool{}
	for name, value := range old {
		if other, found := next[name]; !found || !bytes.Equal(value, other) {
			names[name] = true
		}
	}
	for name := range next {
		if _, found := old[name]; !found {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
