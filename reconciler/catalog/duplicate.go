package catalog

import (
	"bytes"
	"slices"
)

// findDuplicates notes the keys of the object that repeat an earlier one.
func (s *scanner) findDuplicates(object int32) {
	var buffer [smallObject]int32
	keys := buffer[:0]
	var seen map[string]bool
	doc := document{content: s.content}
	for i := object + 1; i < s.nodes[object].next; i = s.nodes[i+1].next {
		key := doc.text(s.nodes[i])
		if seen == nil && len(keys) == smallObject {
			seen = make(map[string]bool, 4*smallObject)
			for _, earlier := range keys {
				seen[string(doc.text(s.nodes[earlier]))] = true
			}
		}
		if seen != nil {
			if seen[string(key)] {
				s.duplicates = append(s.duplicates, i)
			}
			seen[string(key)] = true
			continue
		}
		if slices.ContainsFunc(keys, func(earlier int32) bool { return bytes.Equal(doc.text(s.nodes[earlier]), key) }) {
			s.duplicates = append(s.duplicates, i)
		}
		keys = append(keys, i)
	}
}

// reportDuplicates walks the document, only where there are duplicates at all, to give each its path.
func (d *document) reportDuplicates() {
	if len(d.duplicates) == 0 {
		return
	}
	slices.Sort(d.duplicates)
	d.reportDuplicatesIn(d.root())
}

func (d *document) reportDuplicatesIn(v value) {
	switch v.kind() {
	case kindArray:
		for element := range v.elements() {
			d.reportDuplicatesIn(element)
		}
	case kindObject:
		for _, member := range v.members() {
			if _, found := slices.BinarySearch(d.duplicates, member.key); found {
				member.failAt(d.nodes[member.key].start, CodeDuplicateKey, "the property is given twice")
			}
			d.reportDuplicatesIn(member)
		}
	}
}
