package catalog

import (
	"math"
	"strings"
	"unicode"
)

// properties reads a layer's properties. A column's name has the form of an identifier; the names in a GeoJSON file
// are free.
func (p *parser) properties(v value, freeNames bool) []Property {
	if v.kind() != kindArray {
		v.is(kindArray)
		return nil
	}
	list := make([]Property, 0, min(v.count(), 64))
	first := make(map[string]int, cap(list))
	for element := range v.elements() {
		property := p.property(element, freeNames)
		if i, twice := first[fold(property.Name)]; twice && property.Name != "" {
			element.fail(CodeDuplicateID, "the property %s is already listed as %s[%d]", shorten(property.Name), v.path(), i)
		} else {
			first[fold(property.Name)] = int(element.index)
		}
		if p.clean() {
			list = append(list, property)
		}
	}
	return list
}

func (p *parser) property(v value, freeNames bool) Property {
	var property Property
	v.require("name", "type")
	for name, member := range v.members() {
		switch {
		case string(name) == "name" && freeNames:
			property.Name = p.freeName(member)
		case string(name) == "name":
			property.Name = p.column(member)
		case string(name) == "type":
			property.Type = p.propertyType(member)
		default:
			property.Extra = member.keep(property.Extra, "name", "type")
		}
	}
	return property
}

func (p *parser) propertyType(v value) string {
	if !v.is(kindString) {
		return ""
	}
	text := v.text()
	known := propertyType(text)
	if known == "" {
		types := PropertyTypes()
		v.fail(CodeUnknownValue, "unknown property type %s (known: %s)%s", shorten(text), strings.Join(types, ", "), Suggest(text, types))
	}
	return known
}

func (p *parser) freeName(v value) string {
	if !v.is(kindString) {
		return ""
	}
	name := v.text()
	if name == "" || len(name) > 256 || strings.ContainsFunc(name, unicode.IsControl) {
		v.fail(CodeInvalid, "%s is not the name of a property: up to 256 bytes without control characters", shorten(name))
	}
	return p.intern(name)
}

// bbox reads an extent: four or six numbers, the lower corner first, longitudes and latitudes in degrees.
func bbox(v value) []float64 {
	var box []float64
	valid := v.kind() == kindArray
	for element := range v.elements() {
		number, ok := element.number()
		valid = valid && ok
		box = append(box, number)
	}
	if !valid {
		return nil
	}
	if len(box) != 4 && len(box) != 6 {
		v.fail(CodeInvalid, "must have 4 numbers (west, south, east, north) or 6, not %d", len(box))
		return nil
	}
	half := len(box) / 2
	west, south, east, north := box[0], box[1], box[half], box[half+1]
	switch {
	case math.Abs(west) > 180 || math.Abs(east) > 180:
		v.fail(CodeOutOfRange, "longitudes must be from -180 to 180")
	case math.Abs(south) > 90 || math.Abs(north) > 90:
		v.fail(CodeOutOfRange, "latitudes must be from -90 to 90")
	case south > north:
		v.fail(CodeInvalid, "the southern edge must not be north of the northern one (order: west, south, east, north)")
	case half == 3 && box[2] > box[5]:
		v.fail(CodeInvalid, "the least height must not be above the greatest")
	}
	return box
}
