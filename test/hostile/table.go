package hostile

import (
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/gitsync"
)

// Class is what kind of attack a case is.
type Class string

// The classes of attacks, and of accidents that look like them.
const (
	Refuses   Class = "refuses"
	Stalls    Class = "stalls"
	Floods    Class = "floods"
	Redirects Class = "redirects"
	Garbage   Class = "garbage"
	Empty     Class = "empty"
	Truncated Class = "truncated"
	Corrupt   Class = "corrupt"
	Missing   Class = "missing"
	Rewritten Class = "rewritten"
	Bombs     Class = "bombs"
	Oversized Class = "oversized"
	Special   Class = "special"
	Names     Class = "names"
	Foreign   Class = "foreign"
)

// Classes are all classes, in the table's order.
func Classes() []Class {
	return []Class{
		Refuses, Stalls, Floods, Redirects, Garbage, Empty, Truncated, Corrupt, Missing, Rewritten, Bombs, Oversized,
		Special, Names, Foreign,
	}
}

// Phase is a step on the way from the server to what a node serves.
type Phase string

// The phases, in the order in which a commit passes them.
const (
	// Advertise: the server is asked for the head of the branch.
	Advertise Phase = "advertise"
	// Fetch: it is asked for a pack, which arrives.
	Fetch Phase = "fetch"
	// Unpack: the pack's objects are unpacked, named and indexed.
	Unpack Phase = "unpack"
	// Walk: commits and folders are followed.
	Walk Phase = "walk"
	// Read: the contents of files are read.
	Read Phase = "read"
	// Parse: the contents are given a meaning.
	Parse Phase = "parse"
)

// Phases are all phases, in their order.
func Phases() []Phase { return []Phase{Advertise, Fetch, Unpack, Walk, Read, Parse} }

const (
	// Accepted is the Code of a case that is no error: it is read, and does no harm.
	Accepted = "accepted"
	// Absent is the Code of a commit that has no such environment any more: where something is deployed, that stays.
	Absent = "absent"
)

// Case is one attack.
type Case struct {
	Class Class
	Phase Phase
	// Name tells it from the others of its cell.
	Name string
	// Code is the code of the error that it comes to, or Accepted. Where a slow machine may notice an attack in
	// another way first, further codes follow, separated by a vertical line.
	Code string
	// Attack makes the site's repository or server hostile. The last good commit of the site is deployed.
	Attack func(s *Site)
	// Shared: it is about the whole commit, or what all environments share, so that others are not read either.
	Shared bool
	// Slow: the attack costs time until FetchTimeout; it runs with a short one.
	Slow bool
	// Check looks at what was read in a case that is accepted.
	Check func(r *gitsync.Reading) error
	// Limits are changed for it, so that it does not have to be large.
	Limits func(*gitsync.Limits)
}

// ID names a case: class/phase/name.
func (c Case) ID() string { return string(c.Class) + "/" + string(c.Phase) + "/" + c.Name }

// Local reports whether other environments on the same branch go on while it lasts.
func (c Case) Local() bool {
	return !c.Shared && (c.Phase == Walk || c.Phase == Read || c.Phase == Parse)
}

// Comes reports whether a code is one that the case may come to.
func (c Case) Comes(code string) bool { return slices.Contains(strings.Split(c.Code, "|"), code) }

// Cases are all cases.
func Cases() []Case {
	return slices.Concat(advertiseCases(), fetchCases(), unpackCases(), walkCases(), specialCases(), nameCases(), readCases(), parseCases())
}

// Cell is a place in the table.
type Cell struct {
	Class Class
	Phase Phase
}

// ByCell are the cases of each cell.
func ByCell() map[Cell][]Case {
	found := map[Cell][]Case{}
	for _, c := range Cases() {
		cell := Cell{c.Class, c.Phase}
		found[cell] = append(found[cell], c)
	}
	return found
}
