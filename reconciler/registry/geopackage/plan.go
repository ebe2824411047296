package geopackage

import (
	"encoding/json"
	"fmt"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/projection"
	"github.com/honua-io/honua-gitops/reconciler/registry/wkb"
)

// plan is how a layer reads its table.
type plan struct {
	table      *table
	id         *column
	properties []property
}

// property is one column that features show.
type property struct {
	column   *column
	name     string // as the layer spells it
	declared string
	key      []byte // its name as JSON, with a colon
}

// planFor connects a layer with its table. The error wraps ErrUnavailable: the file has changed since it was checked.
func (t *table) planFor(layer *catalog.Layer) (*plan, error) {
	p := &plan{table: t, id: t.column(t.idColumn(layer))}
	if t.name == "" || t.geometry == "" || p.id == nil {
		return nil, fmt.Errorf("%w: table %q: the table, its geometry or its id column is gone", registry.ErrUnavailable, layer.Table)
	}
	if len(layer.Properties) == 0 {
		for i := range t.columns {
			if natural := t.columns[i].natural(); natural != "" {
				p.show(&t.columns[i], t.columns[i].name, natural)
			}
		}
		return p, nil
	}
	for _, declared := range layer.Properties {
		c := t.column(declared.Name)
		if c == nil || !c.holds(declared.Type) {
			return nil, fmt.Errorf("%w: table %q: column %q is gone or of another type", registry.ErrUnavailable, layer.Table, declared.Name)
		}
		p.show(c, declared.Name, declared.Type)
	}
	return p, nil
}

func (p *plan) show(c *column, name, declared string) {
	// Marshalling a string cannot fail.
	key, _ := json.Marshal(name)
	p.properties = append(p.properties, property{column: c, name: name, declared: declared, key: append(key, ':')})
}

func (p *plan) property(name string) (int, bool) {
	for i := range p.properties {
		if p.properties[i].name == name {
			return i, true
		}
	}
	return 0, false
}

// options say how coordinates of the file are written in a reference system.
func (p *plan) options(crs registry.CRS) (wkb.Options, error) {
	o := wkb.Options{NorthFirst: crs.NorthFirst}
	if crs.EPSG() == p.table.srid {
		return o, nil
	}
	transform, known := projection.Between(p.table.srid, crs.EPSG())
	if !known {
		return o, fmt.Errorf("%w: EPSG:%d", registry.ErrCRS, crs.EPSG())
	}
	o.Transform = transform
	return o, nil
}

// append adds one row — id, geometry, properties — as a GeoJSON Feature.
func (p *plan) append(out []byte, row []any, o wkb.Options) ([]byte, error) {
	out = append(out, `{"type":"Feature"`...)
	if row[0] != nil {
		out = appendValue(append(out, `,"id":`...), "", row[0])
	}
	out = append(out, `,"geometry":`...)
	out, err := appendGeometry(out, row[1], o)
	if err != nil {
		return out, err
	}
	out = append(out, `,"properties":{`...)
	for i, shown := range p.properties {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, shown.key...)
		out = appendValue(out, shown.declared, row[i+2])
	}
	return append(out, "}}"...), nil
}

func appendGeometry(out []byte, value any, o wkb.Options) ([]byte, error) {
	if value == nil {
		return append(out, "null"...), nil
	}
	bytes, isBlob := value.([]byte)
	if !isBlob {
		return out, fmt.Errorf("%w: it is no blob", errBlob)
	}
	geometry, err := parseBlob(bytes)
	if err != nil {
		return out, err
	}
	return wkb.AppendGeoJSON(out, geometry.wkb, o)
}
