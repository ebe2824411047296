package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxID     = 128 // bytes of an id
	maxColumn = 63  // bytes of a table's or column's name, as in PostgreSQL
)

// ValidID reports whether an id can stand in a URL: up to 128 letters, digits, '.', '_' and '-' of ASCII, the first of
// them a letter, a digit or '_'.
func ValidID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if !isLetter(c) && !isDigit(c) && c != '_' && (i == 0 || (c != '.' && c != '-')) {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// ValidColumn reports whether a name can be a column's: up to 63 bytes of letters, digits, '_' and '$', the first of
// them a letter or '_'.
func ValidColumn(name string) bool {
	if name == "" || len(name) > maxColumn || !utf8.ValidString(name) {
		return false
	}
	for i, r := range name {
		if unicode.IsLetter(r) || r == '_' {
			continue
		}
		if i == 0 || !(unicode.IsDigit(r) || r == '$') {
			return false
		}
	}
	return true
}

// ValidTable reports whether a name is a table's, with or without its schema: like cities or public.cities.
func ValidTable(name string) bool {
	schema, table, qualified := strings.Cut(name, ".")
	if !qualified {
		return ValidColumn(name)
	}
	return ValidColumn(schema) && ValidColumn(table)
}
