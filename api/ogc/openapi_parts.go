package ogc

import (
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// apiParameters are the parameters as requirements /req/core/fc-limit-definition, fc-bbox-definition and
// fc-time-definition prescribe them.
func apiParameters(settings catalog.OgcSettings, layers []*registry.Layer) object {
	return object{
		"collectionId": object{"name": "collectionId", "in": "path", "required": true, "schema": idSchema(layers)},
		"featureId":    object{"name": "featureId", "in": "path", "required": true, "schema": object{"type": "string"}},
		"limit": query("limit", "Most features in a page.", object{
			"type": "integer", "minimum": 1, "maximum": settings.MaxLimit, "default": settings.DefaultLimit}),
		"offset": query("offset", "Features to pass over.", object{"type": "integer", "minimum": 0, "default": 0}),
		"bbox": query("bbox", "Only features that meet this box: longitudes and latitudes in WGS 84 unless bbox-crs says otherwise, and heights, which select nothing. "+
			"A box whose first longitude is greater than its second crosses the antimeridian.", object{
			"type": "array", "minItems": 4, "maxItems": 6, "items": object{"type": "number"},
			"oneOf": []object{{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}}}),
		"bbox-crs": query("bbox-crs", "Reference system of bbox: one of the collection's list crs; CRS84 if it is not given.", object{
			"type": "string", "format": "uri", "default": crs84}),
		"crs": query("crs", "Reference system of the coordinates in the response: one of the collection's list crs; CRS84 if it is not given.", object{
			"type": "string", "format": "uri", "default": crs84}),
		"datetime": query("datetime", "Only features of this time: a date, a date-time, or an interval start/end with .. for an open side. "+
			"Collections without a temporal property are not limited by it.", object{"type": "string"}),
		"documentFormat": query("f", "Format of the response.", object{"type": "string", "enum": []string{"json"}}),
		"format": query("f", "Format of the response; the header Accept decides otherwise.", object{
			"type": "string", "enum": []string{"geojson", "json"}}),
	}
}

func query(name, description string, schema object) object {
	return object{"name": name, "in": "query", "required": false, "style": "form", "explode": false,
		"description": description, "schema": schema}
}

// anyFilter stands for the property filters of the collections that are not described one by one.
func anyFilter() object {
	return object{"name": "properties", "in": "query", "required": false, "style": "form", "explode": true,
		"description": "Only features whose property of that name has this value.",
		"schema":      object{"type": "object", "additionalProperties": object{"type": "string"}}}
}

func idSchema(layers []*registry.Layer) object {
	schema := object{"type": "string"}
	if len(layers) > 0 && len(layers) <= maxDescribed {
		var ids []string
		for _, layer := range layers {
			ids = append(ids, layer.Definition().ID)
		}
		schema["enum"] = ids
	}
	return schema
}

// propertySchema is the schema of a value of a property.
func propertySchema(propertyType string) object {
	switch propertyType {
	case "integer", "number", "boolean":
		return object{"type": propertyType}
	case "date":
		return object{"type": "string", "format": "date"}
	case "datetime":
		return object{"type": "string", "format": "date-time"}
	case "uuid", "time":
		return object{"type": "string", "format": propertyType}
	case "json":
		return object{}
	}
	return object{"type": "string"}
}

func apiSchemas() object {
	text := object{"type": "string"}
	ref := func(name string) object { return object{"$ref": "#/components/schemas/" + name} }
	list := func(of object) object { return object{"type": "array", "items": of} }
	of := func(required []string, properties object) object {
		return object{"type": "object", "required": required, "properties": properties}
	}
	whole := object{"type": "integer", "minimum": 0}
	return object{
		"link":        of([]string{"href", "rel"}, object{"href": text, "rel": text, "type": text, "title": text}),
		"exception":   of([]string{"code"}, object{"type": text, "title": text, "status": whole, "detail": text, "code": text, "description": text}),
		"landing":     of([]string{"links"}, object{"title": text, "description": text, "links": list(ref("link"))}),
		"conformance": of([]string{"conformsTo"}, object{"conformsTo": list(text)}),
		"collections": of([]string{"links", "collections"}, object{"links": list(ref("link")), "collections": list(ref("collection"))}),
		"collection": of([]string{"id", "links"}, object{"id": text, "title": text, "description": text, "links": list(ref("link")),
			"extent": object{"type": "object"}, "itemType": text, "crs": list(text), "storageCrs": text}),
		"featureCollection": of([]string{"type", "features"}, object{"type": object{"type": "string", "enum": []string{"FeatureCollection"}},
			"features": list(ref("feature")), "links": list(ref("link")), "numberMatched": whole, "numberReturned": whole,
			"timeStamp": object{"type": "string", "format": "date-time"}}),
		"feature": of([]string{"type", "geometry", "properties"}, object{"type": object{"type": "string", "enum": []string{"Feature"}},
			"id":         object{"oneOf": []object{{"type": "string"}, {"type": "integer"}}},
			"geometry":   object{"type": "object", "nullable": true},
			"properties": object{"type": "object", "nullable": true}, "links": list(ref("link"))}),
	}
}
