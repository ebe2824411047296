package ogc

import (
	"net/url"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// maxDescribed is how many collections the API definition describes one by one. With more it says the same of all of
// them, once, and stays readable.
const maxDescribed = 200

// object is a JSON object; its keys are written in order.
type object = map[string]any

// apiDocument is the OpenAPI 3.0 definition of what a catalog serves.
func apiDocument(base string, c *registry.Catalog) any {
	settings := c.Model().Settings.Ogc
	paths := object{
		"/":                           get("landing", "Landing page", references("documentFormat"), reply("The landing page", "landing")),
		"/conformance":                get("conformance", "Conformance classes", references("documentFormat"), reply("The classes", "conformance")),
		"/api":                        get("api", "API definition", references("documentFormat"), apiReply()),
		"/collections":                get("collections", "Collections", references("documentFormat"), reply("The collections", "collections")),
		"/collections/{collectionId}": get("collection", "One collection", references("collectionId", "documentFormat"), reply("The collection", "collection")),
		"/collections/{collectionId}/queryables": get("queryables", "What features can be selected by",
			references("collectionId", "documentFormat"), schemaReply()),
		"/collections/{collectionId}/items": get("items", "Features of a collection",
			append(append(references("collectionId"), itemReferences()...), anyFilter()), featuresReply("featureCollection")),
		"/collections/{collectionId}/items/{featureId}": get("item", "One feature",
			references("collectionId", "featureId", "crs", "format"), featuresReply("feature")),
	}
	if layers := c.Layers(); len(layers) <= maxDescribed {
		for _, layer := range layers {
			definition := layer.Definition()
			paths["/collections/"+url.PathEscape(definition.ID)+"/items"] = describedItems(definition)
		}
	}
	return object{
		"openapi": "3.0.3",
		"info": object{
			"title": "Honua: " + c.Environment(), "version": c.Digest(),
			"description": "OGC API - Features 1.0 (Core, GeoJSON, CRS, queryables) of the environment " + c.Environment() + ".",
		},
		"servers": []object{{"url": base}},
		"paths":   paths,
		"components": object{
			"parameters": apiParameters(settings, c.Layers()),
			"schemas":    apiSchemas(),
			"responses":  object{"Problem": problemReply()},
		},
	}
}

// describedItems is the path of one collection with the filters that its properties make.
func describedItems(layer *catalog.Layer) object {
	parameters := itemReferences()
	for _, p := range filterable(layer) {
		parameters = append(parameters, object{
			"name": p.Name, "in": "query", "required": false, "style": "form", "explode": false,
			"description": "Only features whose property has this value.", "schema": propertySchema(p.Type),
		})
	}
	properties := object{}
	for _, p := range layer.Properties {
		schema := propertySchema(p.Type)
		schema["nullable"] = true
		properties[p.Name] = schema
	}
	answer := featuresReply("featureCollection")
	operation := get("items-"+layer.ID, "Features of "+titleOf(layer), parameters, answer)
	operation["get"].(object)["x-feature-properties"] = object{"type": "object", "properties": properties}
	return operation
}

func get(id, summary string, parameters []object, answer object) object {
	problem := object{"$ref": "#/components/responses/Problem"}
	responses := object{"200": answer, "304": object{"description": "Not modified"}}
	for _, status := range []string{"400", "404", "406", "500", "503"} {
		responses[status] = problem
	}
	return object{"get": object{
		"operationId": id, "summary": summary, "parameters": parameters, "responses": responses,
	}}
}

// itemReferences are the parameters that the items of every collection know.
func itemReferences() []object {
	return references("limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "format")
}

func references(names ...string) []object {
	var all []object
	for _, name := range names {
		all = append(all, object{"$ref": "#/components/parameters/" + name})
	}
	return all
}

func reply(description, schema string) object {
	return object{"description": description, "content": object{typeJSON: schemaOf(schema)}}
}

func featuresReply(schema string) object {
	return object{
		"description": "GeoJSON",
		"headers": object{"Content-Crs": object{
			"description": "Identifier of the reference system of the coordinates, in angle brackets.", "schema": object{"type": "string"}}},
		"content": object{typeGeoJSON: schemaOf(schema), typeJSON: schemaOf(schema)},
	}
}

func apiReply() object {
	any := object{"schema": object{"type": "object"}}
	return object{"description": "This document", "content": object{typeOpenAPI: any, typeJSON: any}}
}

func schemaReply() object {
	any := object{"schema": object{"type": "object"}}
	return object{"description": "A JSON Schema", "content": object{typeSchema: any, typeJSON: any}}
}

func problemReply() object {
	return object{"description": "What went wrong (RFC 9457)",
		"content": object{"application/problem+json": schemaOf("exception")}}
}

func schemaOf(name string) object {
	return object{"schema": object{"$ref": "#/components/schemas/" + name}}
}
