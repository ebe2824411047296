package ogc

import (
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// relQueryables is the relation of the link from a collection to its queryables (OGC 19-079r2).
const relQueryables = "http://www.opengis.net/def/rel/ogc/1.0/queryables"

// queryablesDocument is the JSON Schema of what a collection's features can be selected by: the properties that are
// parameters of its items, and the geometry that bbox looks at.
func queryablesDocument(base string, layer *catalog.Layer) object {
	properties := object{}
	for _, p := range filterable(layer) {
		properties[p.Name] = propertySchema(p.Type)
	}
	if name := geometryName(layer); properties[name] == nil {
		properties[name] = object{
			"title": "Geometry", "format": "geometry-" + geometryFormat(layer.GeometryType), "x-ogc-role": "primary-geometry",
		}
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": collectionURL(base, layer.ID) + "/queryables",
		"type": "object", "title": titleOf(layer), "properties": properties, "additionalProperties": false,
	}
}

func geometryName(layer *catalog.Layer) string {
	if layer.GeometryColumn != "" {
		return layer.GeometryColumn
	}
	return "geometry"
}

// geometryFormat is the end of the format's name for a geometry type: point, multipolygon, any.
func geometryFormat(geometryType string) string {
	if geometryType == "" || strings.EqualFold(geometryType, "Geometry") {
		return "any"
	}
	return strings.ToLower(geometryType)
}
