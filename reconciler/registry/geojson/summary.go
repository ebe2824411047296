package geojson

import (
	"time"

	"github.com/paulmach/orb"
)

// summary is what the checks need to know of a file, gathered while it is read.
type summary struct {
	types      map[string]int // geometry type: first feature that has it
	outOfRange *outside       // first position that is no longitude and latitude
	properties map[string]*seen
	keys       []string // the property names of every feature, in order, if all have the same
	uniform    bool
}

// outside is a position that cannot be longitude and latitude.
type outside struct {
	feature int
	point   orb.Point
}

// kind is what a property's value is.
type kind int

const (
	kindNull kind = iota
	kindText
	kindDate
	kindDateTime
	kindInteger
	kindNumber
	kindBoolean
	kindCompound
	kinds
)

// String is the kind's name in messages.
func (k kind) String() string {
	return [kinds]string{"null", "string", "date", "datetime", "integer", "number", "boolean", "object or array"}[k]
}

// seen is the first feature, counted from 1, whose value of a property is of each kind; 0 where there is none.
type seen [kinds]int

func (s *summary) addGeometry(index int, geometry orb.Geometry) {
	if s.types == nil {
		s.types = make(map[string]int)
	}
	name := geometry.GeoJSONType()
	if _, known := s.types[name]; !known {
		s.types[name] = index
	}
	bound := geometry.Bound()
	if s.outOfRange != nil || bound.IsEmpty() {
		return
	}
	// Longitudes may run on past the antimeridian, latitudes end at the poles.
	for _, p := range []orb.Point{bound.Min, bound.Max} {
		if p[0] < -360 || p[0] > 360 || p[1] < -90 || p[1] > 90 {
			s.outOfRange = &outside{feature: index, point: p}
			return
		}
	}
}

func (s *summary) addProperties(index int, object []byte) {
	if s.properties == nil {
		s.properties = make(map[string]*seen)
	}
	if index == 0 {
		s.uniform = true
	}
	position := 0
	for key, value := range members(object) {
		if index == 0 {
			s.keys = append(s.keys, string(key))
		} else if position >= len(s.keys) || s.keys[position] != string(key) {
			s.uniform = false
		}
		position++
		entry := s.properties[string(key)]
		if entry == nil {
			entry = new(seen)
			s.properties[string(key)] = entry
		}
		if k := kindOf(value); entry[k] == 0 {
			entry[k] = index + 1
		}
	}
	if position != len(s.keys) || isNull(object) {
		s.uniform = false
	}
}

func kindOf(value []byte) kind {
	switch value[0] {
	case 'n':
		return kindNull
	case 't', 'f':
		return kindBoolean
	case '{', '[':
		return kindCompound
	case '"':
		return textKind(stringBytes(value))
	}
	for _, c := range value {
		if c == '.' || c == 'e' || c == 'E' {
			return kindNumber
		}
	}
	return kindInteger
}

func textKind(text []byte) kind {
	// The cheap look first: most strings are no dates.
	if len(text) < len(time.DateOnly) || text[4] != '-' || text[7] != '-' {
		return kindText
	}
	if len(text) == len(time.DateOnly) {
		if _, err := time.Parse(time.DateOnly, string(text)); err == nil {
			return kindDate
		}
		return kindText
	}
	if _, err := time.Parse(time.RFC3339, string(text)); err == nil {
		return kindDateTime
	}
	return kindText
}
