package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Codes of problems: what tools and tests tell them apart by.
const (
	CodeSyntax          = "syntax"           // not strict JSON
	CodeEncoding        = "encoding"         // a byte order mark, or not UTF-8
	CodeTooLarge        = "too_large"        // a file beyond what is read
	CodeDuplicateKey    = "duplicate_key"    // a property given twice
	CodeWrongType       = "wrong_type"       // a value of another JSON type
	CodeMissing         = "missing"          // a required file or property
	CodeOutOfRange      = "out_of_range"     // a number outside its range
	CodeInvalid         = "invalid"          // a text that is not what its field asks for
	CodeUnknownValue    = "unknown_value"    // none of the values that a field knows
	CodeDuplicateID     = "duplicate_id"     // an id or name given twice
	CodeDangling        = "dangling"         // a reference to nothing
	CodeForbidden       = "forbidden"        // settings that Git may not hold
	CodeUnknownProperty = "unknown_property" // a warning
	CodeMore            = "more"             // problems that are not shown
)

// maxProblems of each severity are shown, so that a file made of mistakes costs no more than the file itself.
const maxProblems = 1000

// maxQuoted is how many bytes of a file's text a message repeats.
const maxQuoted = 64

// problems collects findings.
type problems struct {
	list   []Problem
	counts [2]int // by severity, shown or not
}

// full reports whether another problem of the severity would only be counted; it counts it then.
func (p *problems) full(severity Severity) bool {
	if p.counts[severity] < maxProblems {
		return false
	}
	p.counts[severity]++
	return true
}

func (p *problems) add(problem Problem) {
	if p.full(problem.Severity) {
		return
	}
	p.counts[problem.Severity]++
	p.list = append(p.list, problem)
}

// sorted are the problems by file and place, then what was only counted.
func (p *problems) sorted() []Problem {
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for severity, count := range p.counts {
		if count > maxProblems {
			p.list = append(p.list, Problem{
				Severity: Severity(severity), Code: CodeMore,
				Message: fmt.Sprintf("%d more problems of severity %s are not shown", count-maxProblems, Severity(severity)),
			})
		}
	}
	return p.list
}

// join adds a property's name to the path of its object.
func join(path, name string) string {
	if !plainName(name) {
		return path + "[" + shorten(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func plainName(name string) bool {
	return name != "" && len(name) <= maxQuoted && strings.IndexFunc(name, func(r rune) bool {
		return r > 0x7e || !(isLetter(byte(r)) || isDigit(byte(r)) || r == '_' || r == '-' || r == '$')
	}) < 0
}

// shorten quotes a text for a message and cuts it at 64 bytes.
func shorten(text string) string {
	if len(text) <= maxQuoted {
		return strconv.Quote(text)
	}
	return strconv.Quote(strings.ToValidUTF8(text[:maxQuoted], "")) + "…"
}

// clip cuts a number at 64 bytes.
func clip(number string) string {
	if len(number) <= maxQuoted {
		return number
	}
	return number[:maxQuoted] + "…"
}
