package catalog

import (
	"fmt"
	"strings"
)

// Position is a place in a file. Line and Column count from 1; Column counts bytes of UTF-8, as compilers do.
// Both are 0 where a problem concerns the whole file.
type Position struct {
	File         string
	Line, Column int
}

// String is file:line:column, or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// fold is the key under which ids that differ only in case are the same.
func fold(id string) string { return strings.ToLower(id) }
