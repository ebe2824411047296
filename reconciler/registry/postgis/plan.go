package postgis

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/wkb"
)

// plan is how a layer reads its table: which columns, in which form.
type plan struct {
	table      *table
	id         *column
	idForm     form
	geometry   *column
	srid       int // the geometries' own reference system
	properties []property
	formats    []int16 // binary, for the columns of a row and one more
	factKey    string  // names table and geometry column
}

// property is one column that features show.
type property struct {
	column *column
	form   form
	key    []byte // its name as JSON, with a colon
}

// planFor connects a layer with its table. The error wraps ErrUnavailable: the table has changed since it was checked.
func (t *table) planFor(layer *catalog.Layer) (*plan, error) {
	if kept, ok := t.plans.Load(layer); ok {
		if p, ok := kept.(*plan); ok {
			return p, nil
		}
	}
	p, err := t.newPlan(layer)
	if err == nil {
		p.factKey = quote(t.schema, t.name, p.geometry.name)
		p.formats = slices.Repeat([]int16{binaryFormat}, p.width()+1)
		t.plans.Store(layer, p)
	}
	return p, err
}

// width is how many columns of a row a feature is made of.
func (p *plan) width() int { return len(p.properties) + 2 }

func (t *table) newPlan(layer *catalog.Layer) (*plan, error) {
	p := &plan{table: t, id: t.column(t.idColumn(layer)), geometry: t.column(layer.GeometryColumn), srid: layer.SRID}
	if p.id == nil || p.geometry == nil || !p.geometry.is("geometry") || t.postgis == "" {
		return nil, changed(layer, "its id or geometry column is gone")
	}
	p.idForm = p.id.idForm()
	if len(layer.Properties) == 0 {
		for i := range t.columns {
			if natural := t.columns[i].natural(); natural != "" {
				p.show(&t.columns[i], natural)
			}
		}
		return p, nil
	}
	for _, declared := range layer.Properties {
		c := t.column(declared.Name)
		if c == nil || !c.holds(declared.Type) {
			return nil, changed(layer, fmt.Sprintf("column %q is gone or of another type", declared.Name))
		}
		p.show(c, declared.Type)
	}
	return p, nil
}

func changed(layer *catalog.Layer, what string) error {
	return fmt.Errorf("%w: table %s: %s", registry.ErrUnavailable, layer.Table, what)
}

func (p *plan) show(c *column, propertyType string) {
	// Marshalling a string cannot fail.
	key, _ := json.Marshal(c.name)
	p.properties = append(p.properties, property{column: c, form: c.form(propertyType), key: append(key, ':')})
}

// property returns the column of a declared property.
func (p *plan) column(name string) *column {
	for i := range p.properties {
		if p.properties[i].column.name == name {
			return p.properties[i].column
		}
	}
	return nil
}

// idColumn is the column of feature ids: the layer's, else the primary key.
func (t *table) idColumn(layer *catalog.Layer) string {
	if layer.IDColumn != "" {
		return layer.IDColumn
	}
	return t.key
}

// idForm shows whole numbers as numbers and everything else as text.
func (c *column) idForm() form {
	if c.is("int2", "int4", "int8") {
		return c.numeric()
	}
	return form{after: asText, write: appendString}
}

// append adds one row as a GeoJSON Feature.
func (p *plan) append(out []byte, row [][]byte, o wkb.Options) ([]byte, error) {
	out = append(out, `{"type":"Feature"`...)
	if row[0] != nil {
		out = p.idForm.write(append(out, `,"id":`...), row[0])
	}
	out = append(out, `,"geometry":`...)
	if row[1] == nil {
		out = appendNull(out)
	} else {
		var err error
		if out, err = wkb.AppendGeoJSON(out, row[1], o); err != nil {
			return out, err
		}
	}
	out = append(out, `,"properties":{`...)
	for i := range p.properties {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, p.properties[i].key...)
		if raw := row[i+2]; raw == nil {
			out = appendNull(out)
		} else {
			out = p.properties[i].form.write(out, raw)
		}
	}
	return append(out, "}}"...), nil
}
