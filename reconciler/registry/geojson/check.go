package geojson

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// wgs84 is the EPSG code of what RFC 7946 prescribes.
const wgs84 = 4326

// check compares what a layer declares with what the file holds.
func (d *data) check(layer *catalog.Layer) []registry.Finding {
	findings := d.checkReferenceSystem(layer.SRID)
	findings = append(findings, d.checkGeometryType(layer.GeometryType)...)
	findings = append(findings, d.checkIDs(layer.IDColumn)...)
	for i, p := range layer.Properties {
		findings = append(findings, d.checkProperty(i, p)...)
	}
	return findings
}

func (d *data) checkReferenceSystem(srid int) []registry.Finding {
	if srid != 0 && srid != wgs84 {
		return []registry.Finding{{Field: "srid", Code: registry.CodeSRID, Message: fmt.Sprintf(
			"found %d, which GeoJSON always has; expected %d", wgs84, srid)}}
	}
	if far := d.summary.outOfRange; far != nil {
		return []registry.Finding{{Field: "srid", Code: registry.CodeSRID, Message: fmt.Sprintf(
			"found position [%g, %g] in features[%d]; expected longitude and latitude", far.point[0], far.point[1], far.feature)}}
	}
	return nil
}

// checkGeometryType accepts a single geometry where its multi type is declared: files mix them, having no way to
// declare a type.
func (d *data) checkGeometryType(declared string) []registry.Finding {
	if declared == "" || strings.EqualFold(declared, "Geometry") {
		return nil
	}
	for _, found := range slices.Sorted(maps.Keys(d.summary.types)) {
		if strings.EqualFold(found, declared) || strings.EqualFold("Multi"+found, declared) {
			continue
		}
		return []registry.Finding{{Field: "geometryType", Code: registry.CodeGeometry, Message: fmt.Sprintf(
			"found %s in features[%d]; expected %s", found, d.summary.types[found], declared)}}
	}
	return nil
}

func (d *data) checkIDs(column string) []registry.Finding {
	if column == "" || len(d.features) == 0 {
		return nil
	}
	index := d.idIndex(d.idSource(column))
	finding := registry.Finding{Field: "idColumn", Code: registry.CodeID}
	switch {
	case index.missing > 0:
		finding.Message = fmt.Sprintf("features[%d] has no string or number in %q; expected an id in every feature",
			index.missing-1, column)
	case index.duplicate > 0:
		finding.Message = fmt.Sprintf("features[%d] has the same %q as another feature; expected unique ids",
			index.duplicate-1, column)
	default:
		return nil
	}
	return []registry.Finding{finding}
}

func (d *data) checkProperty(index int, p catalog.Property) []registry.Finding {
	if len(d.features) == 0 {
		return nil
	}
	found := d.summary.properties[p.Name]
	if found == nil {
		return []registry.Finding{{Field: fmt.Sprintf("properties[%d].name", index), Code: registry.CodeProperty,
			Message: fmt.Sprintf("no feature has a property %q", p.Name)}}
	}
	for k := kindText; k < kinds; k++ {
		if found[k] == 0 || holds(p.Type, k) {
			continue
		}
		return []registry.Finding{{Field: fmt.Sprintf("properties[%d].type", index), Code: registry.CodeProperty,
			Message: fmt.Sprintf("property %q: found %s in features[%d]; expected %s", p.Name, k, found[k]-1, p.Type)}}
	}
	return nil
}

// holds reports whether a property of the declared type can have a value of the kind. Every type has null.
func holds(declared string, k kind) bool {
	switch declared {
	case "string", "uuid", "time":
		return k == kindText || k == kindDate || k == kindDateTime
	case "integer":
		return k == kindInteger
	case "number":
		return k == kindInteger || k == kindNumber
	case "boolean":
		return k == kindBoolean
	case "date":
		return k == kindDate
	case "datetime":
		return k == kindDate || k == kindDateTime
	}
	return true
}
