package admin

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// suggested is how many names an error suggests at most.
const suggested = 3

// compared is how many names are compared at most.
const compared = 5000

// nearest returns the known names that a name may be meant for, the best first:
// those that begin with it, then those a few letters away. Equally good ones
// stay in the order in which they come.
func nearest(name string, known iter.Seq[string]) []string {
	type candidate struct {
		name string
		far  int
	}
	limit := 1 + max(2, len(name)/3)
	name = strings.ToLower(name)
	var found []candidate
	n := 0
	for k := range known {
		if n++; n > compared {
			break
		}
		far := distance(name, strings.ToLower(k), limit)
		if name != "" && strings.HasPrefix(strings.ToLower(k), name) {
			far = 0
		}
		if far < limit {
			found = append(found, candidate{k, far})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.far, b.far) })
	var names []string
	for _, f := range found[:min(len(found), suggested)] {
		names = append(names, f.name)
	}
	return names
}

// distance is the Levenshtein distance in bytes, or limit if it is that or more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > maxName {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
