package geojson

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

// errFormat says that a file is not a GeoJSON FeatureCollection.
var errFormat = errors.New("not a GeoJSON FeatureCollection")

// data is a file as it was read. It is immutable but for the id indexes, which are made when first needed.
type data struct {
	raw       []byte // the file, compacted
	features  []feature
	boxes     []box    // of the features' geometries, in their order
	placeless []uint32 // the features without a geometry
	tree      *tree
	summary   summary
	allIDs    bool   // every feature has an id of its own, and no two the same
	version   string // hash of raw

	ids idIndexes
}

// feature is where the parts of a feature stand in the file.
type feature struct{ id, geometry, properties span }

// span is a range of bytes of data.raw; empty where the part is missing.
type span struct{ start, end uint32 }

func (d *data) bytes(s span) []byte { return d.raw[s.start:s.end] }

// spanOf finds where a slice of d.raw begins: slices keep the capacity up to the end of what they are cut from.
func (d *data) spanOf(part []byte) span {
	start := cap(d.raw) - cap(part)
	return span{uint32(start), uint32(start + len(part))}
}

// decode reads a file. Errors wrap errFormat and say which feature is wrong.
func decode(content []byte) (*data, error) {
	raw, err := compact(content)
	if err != nil {
		return nil, err
	}
	d := &data{raw: raw}
	list, err := d.featureList()
	if err != nil {
		return nil, err
	}
	for part := range elements(list) {
		if err := d.add(part); err != nil {
			return nil, fmt.Errorf("%w: features[%d]: %w", errFormat, len(d.features), err)
		}
	}
	d.tree = newTree(d.boxes)
	d.allIDs = d.haveUniqueIDs()
	sum := sha256.Sum256(raw)
	d.version = hex.EncodeToString(sum[:8])
	return d, nil
}

// compact validates JSON and removes the space between its tokens.
func compact(content []byte) ([]byte, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if !utf8.Valid(content) {
		return nil, fmt.Errorf("%w: it is not valid UTF-8", errFormat)
	}
	var out bytes.Buffer
	out.Grow(len(content))
	if err := json.Compact(&out, content); err != nil {
		return nil, syntaxError(content)
	}
	raw := out.Bytes()
	if cap(raw)-len(raw) > len(raw)/8 {
		raw = bytes.Clone(raw) // the file was mostly space: don't keep it
	}
	return raw, nil
}

// syntaxError says where the JSON is wrong. Compact does not know: its error has no offset.
func syntaxError(content []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(content, &whole)
	syntax := (*json.SyntaxError)(nil)
	if !errors.As(err, &syntax) {
		return fmt.Errorf("%w: %w", errFormat, err)
	}
	before := content[:min(int(syntax.Offset), len(content))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("%w: line %d, column %d: %s", errFormat, line, max(column, 1), syntax.Error())
}

// featureList returns the array of features of the collection.
func (d *data) featureList() ([]byte, error) {
	var kind, list []byte
	for key, value := range members(d.raw) {
		switch string(key) {
		case "type":
			kind = value
		case "features":
			if list != nil {
				return nil, fmt.Errorf("%w: \"features\" twice", errFormat)
			}
			list = value
		}
	}
	switch {
	case d.raw[0] != '{':
		return nil, fmt.Errorf("%w: it is no JSON object", errFormat)
	case string(kind) != `"FeatureCollection"`:
		return nil, fmt.Errorf("%w: its type is %s", errFormat, shorten(kind))
	case len(list) == 0 || list[0] != '[':
		return nil, fmt.Errorf("%w: it has no array \"features\"", errFormat)
	}
	return list, nil
}

// add reads one feature.
func (d *data) add(part []byte) error {
	var f feature
	var kind, geometry, properties, id []byte
	for key, value := range members(part) {
		var target *[]byte
		switch string(key) {
		case "type":
			target = &kind
		case "geometry":
			target = &geometry
		case "properties":
			target = &properties
		case "id":
			target = &id
		default:
			continue
		}
		if *target != nil {
			return fmt.Errorf("%q twice", key)
		}
		*target = value
	}
	if string(kind) != `"Feature"` {
		return fmt.Errorf("its type is %s, not \"Feature\"", shorten(kind))
	}
	if !isNull(properties) && properties[0] != '{' {
		return errors.New("properties: neither an object nor null")
	}
	if !isNull(id) {
		if !isString(id) && !isNumber(id) {
			return errors.New("id: neither a string nor a number")
		}
		f.id = d.spanOf(id)
	}
	if err := d.addGeometry(&f, geometry); err != nil {
		return fmt.Errorf("geometry: %w", err)
	}
	if !isNull(properties) {
		f.properties = d.spanOf(properties)
	}
	d.summary.addProperties(len(d.features), properties)
	d.features = append(d.features, f)
	return nil
}

func (d *data) addGeometry(f *feature, value []byte) error {
	bounds := nowhere()
	if isNull(value) {
		d.placeless = append(d.placeless, uint32(len(d.features)))
	} else {
		geometry, err := parseGeometry(value)
		if err != nil {
			return err
		}
		f.geometry = d.spanOf(value)
		d.summary.addGeometry(len(d.features), geometry)
		if bound := geometry.Bound(); !bound.IsEmpty() {
			bounds = boxOf(bound)
		}
	}
	d.boxes = append(d.boxes, bounds)
	return nil
}

func boxOf(b orb.Bound) box { return box{b.Min[0], b.Min[1], b.Max[0], b.Max[1]} }

// shorten quotes a value of the file in a message.
func shorten(value []byte) string {
	const most = 40
	switch {
	case len(value) == 0:
		return "missing"
	case len(value) > most:
		return string(bytes.ToValidUTF8(value[:most], nil)) + "…"
	}
	return string(value)
}
