package ogc

import (
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

type landing struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Links       []link `json:"links"`
}

type conformance struct {
	ConformsTo []string `json:"conformsTo"`
}

type collections struct {
	Links       []link       `json:"links"`
	Collections []collection `json:"collections"`
}

type collection struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Links       []link   `json:"links"`
	Extent      *extent  `json:"extent,omitempty"`
	ItemType    string   `json:"itemType"`
	CRS         []string `json:"crs"`
	StorageCRS  string   `json:"storageCrs"`
}

type extent struct {
	Spatial spatial `json:"spatial"`
}

type spatial struct {
	BBox [][]float64 `json:"bbox"`
	CRS  string      `json:"crs"`
}

func landingDocument(base string, c *registry.Catalog) landing {
	return landing{
		Title:       "Honua: " + c.Environment(),
		Description: "Features of the environment " + c.Environment() + " over OGC API - Features.",
		Links: []link{
			{Href: base, Rel: "self", Type: typeJSON, Title: "This document"},
			{Href: base + "/api", Rel: "service-desc", Type: typeOpenAPI, Title: "API definition"},
			{Href: base + "/conformance", Rel: "conformance", Type: typeJSON, Title: "Conformance classes"},
			{Href: base + "/collections", Rel: "data", Type: typeJSON, Title: "Collections"},
		},
	}
}

func conformanceDocument() conformance {
	const classes = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
	return conformance{ConformsTo: []string{
		classes + "core", classes + "oas30", classes + "geojson",
		"http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
	}}
}

func collectionsDocument(base string, c *registry.Catalog) collections {
	layers := c.Layers()
	document := collections{
		Links:       []link{{Href: base + "/collections", Rel: "self", Type: typeJSON, Title: "This document"}},
		Collections: make([]collection, 0, len(layers)),
	}
	for _, layer := range layers {
		document.Collections = append(document.Collections, collectionDocument(base, layer.Definition()))
	}
	return document
}

func collectionDocument(base string, layer *catalog.Layer) collection {
	at := collectionURL(base, layer.ID)
	document := collection{
		ID: layer.ID, Title: titleOf(layer), Description: layer.Description, ItemType: "feature",
		CRS: systems(layer), StorageCRS: storageSystem(layer),
		Links: []link{
			{Href: at, Rel: "self", Type: typeJSON, Title: "This collection"},
			{Href: at + "/items", Rel: "items", Type: typeGeoJSON, Title: titleOf(layer)},
			{Href: at + "/items?f=json", Rel: "items", Type: typeJSON, Title: titleOf(layer)},
			{Href: at + "/queryables", Rel: relQueryables, Type: typeSchema, Title: "Queryables"},
		},
	}
	if len(layer.BBox) > 0 {
		document.Extent = &extent{Spatial: spatial{BBox: [][]float64{layer.BBox}, CRS: crs84}}
	}
	return document
}
