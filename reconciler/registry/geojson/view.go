package geojson

import (
	"encoding/json"
	"slices"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// view is how a layer shows the features of a file: which id, which properties, in which reference system.
type view struct {
	data  *data
	ids   idSource
	whole bool     // the properties are shown as the file has them
	names []string // else these, in the layer's order
	keys  [][]byte // the names as JSON, each with its colon
	crs   rewrite  // nil: the coordinates are shown as the file has them
}

// view of a layer that declares no properties shows all of them.
func (d *data) view(layer *catalog.Layer, crs registry.CRS) (view, error) {
	coordinates, err := rewriteTo(crs)
	if err != nil {
		return view{}, err
	}
	v := view{data: d, ids: d.idSource(layer.IDColumn), whole: len(layer.Properties) == 0, crs: coordinates}
	for _, p := range layer.Properties {
		v.names = append(v.names, p.Name)
	}
	if v.whole || d.summary.uniform && slices.Equal(v.names, d.summary.keys) {
		v.whole = true
		return v, nil
	}
	for _, name := range v.names {
		// Marshalling a string cannot fail.
		key, _ := json.Marshal(name)
		v.keys = append(v.keys, append(key, ':'))
	}
	return v, nil
}

// append adds one feature as a GeoJSON Feature.
func (v *view) append(out []byte, index int) []byte {
	f := &v.data.features[index]
	out = append(out, `{"type":"Feature"`...)
	var scratch [20]byte
	if id := v.data.id(v.ids, index, scratch[:]); len(id) > 0 {
		out = append(out, `,"id":`...)
		out = append(out, id...)
	}
	out = append(out, `,"geometry":`...)
	out = v.appendGeometry(out, v.data.bytes(f.geometry))
	out = append(out, `,"properties":`...)
	if v.whole {
		out = appendOrNull(out, v.data.bytes(f.properties))
	} else {
		out = v.appendProperties(out, v.data.bytes(f.properties))
	}
	return append(out, '}')
}

func (v *view) appendGeometry(out, geometry []byte) []byte {
	if v.crs == nil || isNull(geometry) {
		return appendOrNull(out, geometry)
	}
	return v.crs.geometry(out, geometry)
}

// appendProperties shows each declared property, null where the feature lacks it: all features of a layer look alike.
func (v *view) appendProperties(out, object []byte) []byte {
	out = append(out, '{')
	for i, name := range v.names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v.keys[i]...)
		out = appendOrNull(out, property(object, name))
	}
	return append(out, '}')
}

func appendOrNull(out, value []byte) []byte {
	if len(value) == 0 {
		return append(out, "null"...)
	}
	return append(out, value...)
}

// property returns a property's value; nil if there is none of that name.
func property(object []byte, name string) []byte {
	for key, value := range members(object) {
		if string(key) == name {
			return value
		}
	}
	return nil
}
