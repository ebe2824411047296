package geopackage

import (
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/projection"
)

// check compares what a layer declares with what the file says.
func (t *table) check(layer *catalog.Layer) []registry.Finding {
	if t.name == "" || len(t.columns) == 0 {
		return []registry.Finding{{Field: "table", Code: registry.CodeTable, Message: fmt.Sprintf(
			"found no table %q with features in gpkg_contents%s", layer.Table, catalog.Suggest(layer.Table, t.others))}}
	}
	findings := t.checkGeometry(layer)
	findings = append(findings, t.checkID(layer)...)
	for i, p := range layer.Properties {
		findings = append(findings, t.checkProperty(i, p)...)
	}
	return findings
}

func (t *table) checkGeometry(layer *catalog.Layer) []registry.Finding {
	if t.geometry == "" || !strings.EqualFold(t.geometry, layer.GeometryColumn) {
		return []registry.Finding{{Field: "geometryColumn", Code: registry.CodeGeometry, Message: fmt.Sprintf(
			"gpkg_geometry_columns names %q; expected %q", t.geometry, layer.GeometryColumn)}}
	}
	var findings []registry.Finding
	if !strings.EqualFold(t.kind, "GEOMETRY") && !strings.EqualFold(layer.GeometryType, "Geometry") && !strings.EqualFold(t.kind, layer.GeometryType) {
		findings = append(findings, registry.Finding{Field: "geometryType", Code: registry.CodeGeometry, Message: fmt.Sprintf(
			"column %q: found %s; expected %s", t.geometry, t.kind, layer.GeometryType)})
	}
	if t.srid != layer.SRID {
		return append(findings, registry.Finding{Field: "srid", Code: registry.CodeSRID, Message: fmt.Sprintf(
			"column %q: found %d; expected %d", t.geometry, t.srid, layer.SRID)})
	}
	if _, known := projection.Between(t.srid, registry.WGS84); !known {
		findings = append(findings, registry.Finding{Field: "srid", Code: registry.CodeSRID, Message: fmt.Sprintf(
			"found %d, which cannot be converted here; expected %d or %d (ogr2ogr -t_srs EPSG:%d writes such a file)",
			t.srid, registry.WGS84, registry.WebMercator, registry.WGS84)})
	}
	return findings
}

func (t *table) checkID(layer *catalog.Layer) []registry.Finding {
	finding := registry.Finding{Field: "idColumn", Code: registry.CodeID}
	switch c := t.column(t.idColumn(layer)); {
	case layer.IDColumn == "" && c == nil:
		finding.Message = fmt.Sprintf("found no integer primary key in %q; expected one, or idColumn to name a unique column", t.name)
	case c == nil:
		finding.Message = fmt.Sprintf("found no column %q in %q%s", layer.IDColumn, t.name, catalog.Suggest(layer.IDColumn, t.columnNames()))
	case !c.isInteger() && !c.isText():
		finding.Message = fmt.Sprintf("found column %q of type %s; expected an integer or a text", c.name, c.declared)
	case !c.unique:
		finding.Warning = true
		finding.Message = fmt.Sprintf("column %q has no unique index of its own; expected unique ids", c.name)
	default:
		return nil
	}
	return []registry.Finding{finding}
}

func (t *table) checkProperty(index int, p catalog.Property) []registry.Finding {
	c := t.column(p.Name)
	if c == nil {
		return []registry.Finding{{Field: fmt.Sprintf("properties[%d].name", index), Code: registry.CodeProperty,
			Message: fmt.Sprintf("found no column %q%s", p.Name, catalog.Suggest(p.Name, t.columnNames()))}}
	}
	if !c.holds(p.Type) {
		return []registry.Finding{{Field: fmt.Sprintf("properties[%d].type", index), Code: registry.CodeProperty,
			Message: fmt.Sprintf("column %q: found %s; expected %s", p.Name, c.declared, p.Type)}}
	}
	return nil
}

func (t *table) columnNames() []string {
	names := make([]string, 0, len(t.columns))
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

// idColumn is the column of feature ids: the layer's, else the integer primary key.
func (t *table) idColumn(layer *catalog.Layer) string {
	if layer.IDColumn != "" {
		return layer.IDColumn
	}
	return t.key
}
