// Package ogc serves what the registry holds over HTTP as OGC API - Features - Part 1: Core (version 1.0), with the
// conformance classes core, oas30 and geojson; Part 2: Coordinate Reference Systems by Reference; and of Part 3 the
// queryables and their use as query parameters.
//
// Each request takes the environment's current catalog once and answers from it alone; the header Honua-Digest names
// the digest that answered. Documents that depend on the catalog only are rendered once for each base URL. Features
// are streamed: a source passes them on one by one, and the response is buffered only as far as is needed to answer a
// source's failure with a proper status instead of a broken body.
package ogc
